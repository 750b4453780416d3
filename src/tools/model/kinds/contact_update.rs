use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{FieldSpec, Input, KindConfig, Values, value};
use patchbay_shared::FieldErrors;

/// A detail of a contact that an agent may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactField {
    Name,
    Email,
    Company,
}

impl ContactField {
    pub const ALL: [ContactField; 3] = [ContactField::Name, ContactField::Email, ContactField::Company];

    pub fn as_str(self) -> &'static str {
        match self {
            ContactField::Name => "name",
            ContactField::Email => "email",
            ContactField::Company => "company",
        }
    }

    fn field(self) -> FieldSpec {
        let (name, label) = match self {
            ContactField::Name => ("may_change_name", "May change the name"),
            ContactField::Email => ("may_change_email", "May change the e-mail address"),
            ContactField::Company => ("may_change_company", "May change the company"),
        };
        FieldSpec::new(name, label, Input::Tick, "")
    }
}

/// Changes details of the contact that the call is with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContactUpdate {
    pub fields: Vec<ContactField>,
    /// Names of further details, as contacts have them.
    pub attributes: Vec<String>,
}

impl KindConfig for ContactUpdate {
    fn fields() -> Vec<FieldSpec> {
        let mut fields: Vec<FieldSpec> = ContactField::ALL.into_iter().map(ContactField::field).collect();
        fields.push(FieldSpec::new(
            "attribute_names",
            "Further details",
            Input::Line,
            "Names of details that it may set, separated by commas: for example insurer, preferred_day.",
        ));
        fields
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let fields: Vec<ContactField> =
            ContactField::ALL.into_iter().filter(|field| !value(values, field.field().name).is_empty()).collect();
        let mut attributes: Vec<String> = Vec::new();
        for name in value(values, "attribute_names").split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let is_plain = !name.contains('-') && !name.starts_with(|letter: char| letter.is_ascii_digit());
            if !is_plain
                || !super::super::schema::is_name(name)
                || ContactField::ALL.iter().any(|field| field.as_str() == name)
            {
                errors.add(
                    "attribute_names",
                    format!("“{name}” cannot be the name of a detail here. Use letters, digits and _, and begin with a letter."),
                );
            } else if !attributes.iter().any(|known| known == name) {
                attributes.push(name.to_owned());
            }
        }
        if attributes.len() > 20 {
            errors.add("attribute_names", "Name at most 20 details.");
        }
        if fields.is_empty() && attributes.is_empty() {
            errors.add("attribute_names", "Choose at least one detail that the agent may change.");
        }
        Self { fields, attributes }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        let mut all: Vec<(&'static str, String)> =
            self.fields.iter().map(|field| (field.field().name, "true".to_owned())).collect();
        all.push(("attribute_names", self.attributes.join(", ")));
        all
    }

    fn summary(&self) -> String {
        let fields = self.fields.iter().map(|field| field.as_str());
        format!(
            "May change {}",
            fields.chain(self.attributes.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
        )
    }

    fn parameters(&self) -> Value {
        let mut properties = Map::new();
        for field in &self.fields {
            let about = match field {
                ContactField::Name => "Their full name.",
                ContactField::Email => "Their e-mail address.",
                ContactField::Company => "The company they work for.",
            };
            properties.insert(field.as_str().to_owned(), json!({ "type": "string", "description": about }));
        }
        for name in &self.attributes {
            properties.insert(name.clone(), json!({ "type": "string" }));
        }
        json!({ "type": "object", "properties": properties })
    }

    fn only_reads(&self) -> bool {
        false
    }
}
