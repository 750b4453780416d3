use std::sync::Arc;

use leptos::prelude::*;

use crate::server_fns::SaveProfile;
use patchbay_shared::zones::zone_options;
use patchbay_shell::{SettingsNav, viewer};
use patchbay_ui::*;

/// Name, zone, look.
#[lazy]
pub fn profile_page() -> PageView {
    Arc::new(move || {
        let save = FormAction::of::<SaveProfile>();
        let mine = viewer();
        let saved = move || matches!(save.answer(), Some(Ok(())));
        let zone = mine.timezone.clone();
        view! {
            <PageTitle text="Your profile" parents=vec![crumb("Settings", "/settings/profile")]/>
            <PageHead title="Your profile" sub=format!("{} · {}", mine.email, mine.role.label())/>
            <div class="cols settings">
                <SettingsNav current="/settings/profile"/>
                <div class="stack gap-4">
                    <Card title="You">
                        {mine.workspace.is_some().then(|| view! {
                            <ServerForm action=save class="form two">
                                <TextInput name="name" label="Name" value=mine.name.clone() required=true maxlength=120/>
                                <Select name="timezone" label="Time zone" options=zone_options(&zone) value=zone.clone() required=true hint="All times are shown in it."/>
                                <FormActs>
                                    <SubmitButton>"Save"</SubmitButton>
                                    <span role="status">{move || saved().then_some("Saved. New pages show it.")}</span>
                                </FormActs>
                            </ServerForm>
                        })}
                    </Card>
                    <Card title="Look">
                        <form class="form two" method="post" action="/preferences">
                            <Select name="theme" label="Theme" mark=false options=words(&[("system", "Same as the device"), ("light", "Light"), ("dark", "Dark")]) prompt="No change"/>
                            <Select name="density" label="Density of lists" mark=false options=words(&[("compact", "Compact"), ("regular", "Regular"), ("roomy", "Roomy")]) prompt="No change"/>
                            <FormActs><button class="btn pri" type="submit">"Apply"</button></FormActs>
                        </form>
                    </Card>
                </div>
            </div>
        }
        .into_any()
    })
}

fn words(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned())).collect()
}
