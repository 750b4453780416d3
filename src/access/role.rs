patchbay_shared::words! {
    /// What a person is. The names are fixed.
    pub Role: "user_role" {
        AgencyOwner = "agency_owner", "Owner", Info;
        AgencyAdmin = "agency_admin", "Admin", Info;
        AgencyMember = "agency_member", "Member", Mute;
        ClientAdmin = "client_admin", "Client admin", Info;
        ClientViewer = "client_viewer", "Client viewer", Mute;
        Admin = "admin", "Platform admin", Warn;
    }
}

impl Role {
    /// Belongs to one client of the agency and sees only that client.
    pub fn is_client(self) -> bool {
        matches!(self, Role::ClientAdmin | Role::ClientViewer)
    }

    /// Belongs to the agency itself.
    pub fn is_agency(self) -> bool {
        matches!(self, Role::AgencyOwner | Role::AgencyAdmin | Role::AgencyMember)
    }
}

patchbay_shared::words! {
    /// Who of an agency's people has to have a second factor.
    pub SecondFactorRule: "text" {
        Nobody = "nobody", "Nobody", Warn;
        Managers = "managers", "Owners and admins", Ok;
        Agency = "agency", "Everyone in the agency", Ok;
        Everybody = "everybody", "Everyone, including clients' people", Ok;
    }
}

impl SecondFactorRule {
    /// Whether somebody with this role has to have one.
    pub fn binds(self, role: Role) -> bool {
        match self {
            Self::Nobody => false,
            Self::Managers => matches!(role, Role::AgencyOwner | Role::AgencyAdmin),
            Self::Agency => role.is_agency(),
            Self::Everybody => true,
        }
    }
}
