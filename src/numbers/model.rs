crate::words! {
    /// A number's life: pending → active ⇄ inactive → released, and released is final.
    pub NumberStatus: "phone_number_status" {
        Pending = "pending", "Ordered", Info;
        Active = "active", "Active", Ok;
        Inactive = "inactive", "Inactive", Mute;
        Released = "released", "Released", Mute;
    }
}
