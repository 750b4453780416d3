use std::sync::Arc;

use leptos::prelude::*;

use crate::server_fns::{ChangeContact, CreateContact, get_import_choices};
use crate::{Contact, ContactForm, ImportChoices, countries};
use patchbay_shared::zones::zone_options;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The form for one new contact.
#[lazy]
pub fn new_contact_page() -> PageView {
    let choices = load(|| (), |()| get_import_choices(None));
    Arc::new(move || {
        view! {
            <PageTitle text="New contact" parents=vec![crumb("Contacts", "/contacts")]/>
            <PageHead title="New contact" sub="For a whole list, import a file. Calls that came from the number before become the contact’s."/>
            <PageBoundary data=choices view=move |choices: ImportChoices| view! { <Card><NewForm choices/></Card> }/>
        }
        .into_any()
    })
}

#[component]
fn NewForm(choices: ImportChoices) -> impl IntoView {
    let create = FormAction::of::<CreateContact>();
    let clients = options_of(choices.clients.into_iter().map(|pick| (pick.id, pick.label)));
    let of_agency = viewer().client.is_none();
    view! {
        <ServerForm action=create class="form two">
            {of_agency.then(|| view! {
                <Select name="client" label="Client" options=clients value=query("client").unwrap_or_default() prompt="Choose a client" required=true/>
            })}
            <Fields form=ContactForm { phone: query("phone").unwrap_or_default(), ..ContactForm::default() }/>
            <FormActs>
                <SubmitButton>"Create contact"</SubmitButton>
                <a class="btn ghost" href="/contacts">"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
}

/// The form for a present contact.
#[component]
pub(crate) fn EditForm(contact: Contact) -> impl IntoView {
    let change = FormAction::of::<ChangeContact>();
    let id = contact.id.to_string();
    let form = ContactForm::of(&contact);
    view! {
        <ServerForm action=change class="form two">
            <input type="hidden" name="id" value=id.clone()/>
            <Fields form/>
            <FormActs>
                <SubmitButton>"Save"</SubmitButton>
                <a class="btn ghost" href=format!("/contacts/{id}")>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
}

#[component]
fn Fields(form: ContactForm) -> impl IntoView {
    let countries = options_of(countries::COUNTRIES);
    let mut zones = zone_options(&form.timezone);
    zones.retain(|(value, _)| !value.is_empty());
    view! {
        <TextInput name="form[name]" label="Name" value=form.name maxlength=200/>
        <TextInput
            name="form[phone]"
            label="Phone number"
            value=form.phone
            required=true
            kind="tel"
            inputmode="tel"
            hint="With + and the country's code, or as it is dialled in the country beside it."
        />
        <Select
            name="form[country]"
            label="Country of the number"
            options=countries
            value=form.country
            prompt="The client's country"
            hint="Only for numbers without +."
        />
        <TextInput name="form[company]" label="Company" value=form.company maxlength=200/>
        <TextInput name="form[email]" label="E-mail" kind="email" value=form.email/>
        <Select
            name="form[timezone]"
            label="Time zone"
            options=zones
            value=form.timezone
            prompt="The client's zone"
            hint="Calling hours apply in this time zone."
        />
        <TextArea
            name="form[attributes]"
            label="Variables"
            value=form.attributes
            rows=5
            hint="One name = value per line. Prompts use them as {{name}}."
        />
    }
}
