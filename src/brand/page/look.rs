use leptos::ev::Event;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::web_sys::HtmlInputElement;

use crate::model::{BrandView, Colours, LogoProblem, PRODUCT, USUAL_ACCENT, colour};
use crate::server_fns::{RemoveLogo, SaveBrand};
use patchbay_shared::{FieldErrors, Tone};
use patchbay_ui::*;

/// Says after a change that it is made.
#[component]
pub(crate) fn Saved() -> impl IntoView {
    query("saved").map(|_| view! {
        <Callout tone=Tone::Ok icon="circle-check"><p role="status">"Saved. This is how it looks from now on."</p></Callout>
    })
}

/// Name, colour, support address and logo, with samples of what is saved.
#[component]
pub(crate) fn Look(brand: BrandView) -> impl IntoView {
    let (form, logo) = (brand.clone(), brand.clone());
    view! {
        <Card title="Name and colour"><LookForm brand=form/></Card>
        <Card title="Logo"><LogoForms brand=logo/></Card>
        <Card title="As it is now"><Samples brand/></Card>
    }
}

/// A form that the browser posts itself, with and without script: the page that follows comes with its new style sheet.
#[component]
fn WholeForm(
    action: FormAction,
    url: &'static str,
    class: &'static str,
    #[prop(optional, into)] prefix: String,
    children: Children,
) -> impl IntoView {
    view! {
        <FormScope errors=action.errors() prefix>
            <form method="post" action=url class=class><FormErrors/>{children()}</form>
        </FormScope>
    }
}

#[component]
fn LookForm(brand: BrandView) -> impl IntoView {
    let save = FormAction::of::<SaveBrand>();
    let client = brand.client.map(|client| client.id.to_string()).unwrap_or_default();
    let (own, below) = (brand.own, brand.below);
    let was = own.accent.unwrap_or_default();
    let (picker, text) = (NodeRef::<Input>::new(), NodeRef::<Input>::new());
    // Picker and text follow each other. Without script whichever was changed counts.
    let follow = move |event: Event| {
        let Some((picker, text)) = picker.get_untracked().zip(text.get_untracked()) else { return };
        let typed = text.value();
        if event_target::<HtmlInputElement>(&event).name() == "picker" {
            text.set_value(&picker.value());
        } else if let Some(colour) = colour(&typed) {
            picker.set_value(&colour);
        } else if typed.trim().is_empty() {
            picker.set_value(USUAL_ACCENT);
        }
    };
    let shown = if was.is_empty() { USUAL_ACCENT.to_owned() } else { was.clone() };
    view! {
        <WholeForm action=save url=SaveBrand::url() class="form two">
            <input type="hidden" name="client" value=client/>
            <input type="hidden" name="was" value=was.clone()/>
            <TextInput
                name="product"
                label="Name"
                value=own.product.unwrap_or_default()
                maxlength=40
                placeholder=below.product.unwrap_or_else(|| PRODUCT.to_owned())
                hint="Shown next to the logo, in page titles, and as the sender of e-mails."
            />
            <TextInput
                name="support"
                label="Support address"
                value=own.support.unwrap_or_default()
                maxlength=300
                placeholder=below.support.unwrap_or_default()
                hint="An e-mail address or a page that begins with https://. Shown at sign-in and at the end of e-mails."
            />
            <div class="row top-aligned wrap full" on:input=follow>
                <TextInput name="picker" label="Colour" kind="color" value=shown mark=false node_ref=picker/>
                <TextInput
                    name="accent"
                    label="As text"
                    value=was
                    maxlength=7
                    class="short mono"
                    placeholder=below.accent.unwrap_or_else(|| USUAL_ACCENT.to_owned())
                    hint="Buttons, links and highlights are derived from this colour. Leave empty to keep the default."
                    node_ref=text
                />
            </div>
            <FormActs><SubmitButton>"Save"</SubmitButton></FormActs>
        </WholeForm>
    }
}

#[component]
fn LogoForms(brand: BrandView) -> impl IntoView {
    let problem = query("problem").and_then(|word| word.parse::<LogoProblem>().ok());
    let errors =
        FieldErrors(problem.map(|problem| ("file".to_owned(), problem.label().to_owned())).into_iter().collect());
    let remove = FormAction::of::<RemoveLogo>();
    let is_own = brand.own.logo.is_some();
    let client = brand.client.map(|client| client.id.to_string()).unwrap_or_default();
    let again = client.clone();
    let present = match (brand.logo, is_own) {
        (Some(logo), true) => view! { <div class="brand"><img class="wide" src=logo alt="The present logo"/></div> }.into_any(),
        (Some(logo), false) => view! {
            <div class="brand"><img class="wide" src=logo alt="Your agency's logo"/><span class="sub">"Your agency's logo"</span></div>
        }
        .into_any(),
        (None, _) => view! { <p class="sub">"No logo yet: our own sign is shown."</p> }.into_any(),
    };
    view! {
        {present}
        <FormScope errors={Signal::stored(errors)} prefix="logo">
            <form class="form" method="post" enctype="multipart/form-data" action="/settings/brand/logo">
                <input type="hidden" name="client" value=client/>
                <FileDrop
                    name="file"
                    label="Choose a picture"
                    accept=".png,.jpg,.jpeg,.webp,image/png,image/jpeg,image/webp"
                    hint="PNG, JPEG or WebP, up to 512 kB and 2000 pixels on a side. It must be visible on light and dark backgrounds."
                />
                <FormActs><SubmitButton icon="upload">"Upload"</SubmitButton></FormActs>
            </form>
        </FormScope>
        {is_own.then(|| view! {
            <WholeForm action=remove url=RemoveLogo::url() class="inline" prefix="remove">
                <input type="hidden" name="client" value=again/>
                <SubmitButton kind=ButtonKind::Plain icon="x">"Remove the logo"</SubmitButton>
            </WholeForm>
        })}
    }
}

/// What is saved, in both themes side by side. The samples' own style sheet paints them, whatever the page around looks like.
#[component]
fn Samples(brand: BrandView) -> impl IntoView {
    let own = brand.own.over(brand.below);
    let product = own.product.unwrap_or_else(|| PRODUCT.to_owned());
    let remark = brand.colours.as_ref().and_then(remark);
    let sheet = brand.colours.map(|colours| colours.samples);
    let logo = brand.logo;
    let sample = move |theme: &'static str| {
        let class = logo.is_some().then_some("wide");
        let logo = logo.clone().unwrap_or_else(|| "/favicon.svg".to_owned());
        view! {
            <div class="brand-sample" data-theme=theme>
                <span class="brand"><img class=class src=logo alt=""/><b>{product.clone()}</b></span>
                <span class="btn pri">"Button"</span>
                <span class="link">"Link"</span>
                <Tag class="pri">"Tag"</Tag>
                <span class="sub">{if theme == "light" { "Light theme" } else { "Dark theme" }}</span>
            </div>
        }
    };
    view! {
        {sheet.map(|sheet| view! { <link rel="stylesheet" href=sheet/> })}
        {remark.map(|remark| view! { <Callout tone=Tone::Info><p>{remark}</p></Callout> })}
        <div class="cols two">{sample("light")}{sample("dark")}</div>
    }
}

/// Says that a colour was moved, and where to.
fn remark(colours: &Colours) -> Option<String> {
    let Colours { asked, light, dark, .. } = colours;
    let places = match (light != asked, dark != asked) {
        (true, true) => format!("{light} in the light theme and {dark} in the dark one"),
        (true, false) => format!("{light} in the light theme"),
        (false, true) => format!("{dark} in the dark theme"),
        (false, false) => return None,
    };
    Some(format!("As it is, {asked} has too little contrast there, so it becomes {places}. Its hue stays."))
}
