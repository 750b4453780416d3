//! Every component with its variants, at `/dev/ui` in debug builds. Tests walk through this page with the keyboard and axe.

use leptos::prelude::*;

use super::*;
use patchbay_shared::{AppError, FieldErrors, Page, Tone};

/// The page. It stands outside the shell, so it brings what the shell would: the landmark, messages, the mark of a live page.
#[component]
pub fn Gallery() -> impl IntoView {
    mark_hydrated();
    view! { <main class="main" id="main">{parts()}</main> <toast::Toasts/> }
}

fn parts() -> impl IntoView {
    view! {
        <PageTitle text="Components" parents=vec![crumb("Development", "/dev/ui")]/>
        <PageHead
            title="Components"
            sub="Every part with its variants."
            tags=|| view! { <Tag tone=Tone::Info>"Debug"</Tag> }
            actions=|| view! { <LinkButton href="/" icon="arrow-left">"Back"</LinkButton> <Button kind=ButtonKind::Primary icon="plus">"Primary"</Button> }
        />
        <div class="cols two">{marks()}{buttons()}{figures()}{lists()}{charts()}{forms()}{overlays()}{messages()}{recording()}{data()}</div>
    }
}

fn marks() -> AnyView {
    let tones = [Tone::Mute, Tone::Ok, Tone::Warn, Tone::Bad, Tone::Info, Tone::Live];
    let states =
        tones.map(|tone| view! { <State tone label=tone.class()/> <Tag tone>{tone.class()}</Tag> }).collect_view();
    view! {
        <Card title="States" count=6>
            <div class="row wrap">{states}<Avatar text="MV"/><Avatar text="IK" small=true/></div>
            <div class="mt-4"><RouteChain nodes=vec![
                RouteNode::new("+41 44 555 01 00").mono(),
                RouteNode::new("+41 44 555 02 00").icon("phone-forwarded").mono(),
                RouteNode::new("Front desk").icon("bot").href("/dev/ui").tag("v14"),
            ]/></div>
            <div class="mt-4"><Stepper steps=vec![
                Step { label: "File".into(), href: Some("/dev/ui".into()), state: StepState::Done },
                Step { label: "Columns".into(), href: None, state: StepState::Now },
                Step { label: "Check".into(), href: None, state: StepState::Next },
            ]/></div>
        </Card>
    }
    .into_any()
}

fn buttons() -> AnyView {
    let presses = RwSignal::new(0);
    view! {
        <Card title="Buttons" right=|| view! { <a class="link" href="/dev/ui">"A link"</a> } footer=|| view! { <span>"A foot"</span> }>
            <div class="row wrap">
                <Button on:click=move |_| presses.update(|presses| *presses += 1)>{move || format!("Pressed {}", presses.get())}</Button>
                <Button kind=ButtonKind::Primary icon="check">"Primary"</Button>
                <Button kind=ButtonKind::Ghost>"Ghost"</Button>
                <Button kind=ButtonKind::Danger icon="trash-2">"Danger"</Button>
                <Button kind=ButtonKind::DangerSolid>"Solid"</Button>
                <Button disabled=true>"Disabled"</Button>
                <Button busy=true>"Waiting"</Button>
                <IconButton icon="pencil" label="Edit"/>
                <CopyButton text="0193-4c" label="Copy the id"/>
            </div>
        </Card>
    }
    .into_any()
}

fn figures() -> AnyView {
    view! {
        <Card title="Figures">
            <Kpis count=3>
                <Kpi label="Answered" value="71.4" unit="%" delta="2.3 pts" direction=Direction::Up versus="vs Thu" points=vec![3.0, 4.0, 3.5, 5.0]/>
                <Kpi label="Reached" value="318" delta="4.0%" direction=Direction::Down versus="vs Thu"/>
                <Kpi label="Spend" value="$412.90" versus="38% of the cap" points=vec![1.0, 2.0, 4.0] paint="chart-2"/>
            </Kpis>
            <div class="mt-4"><SegmentBar
                label="742 of 1,200"
                total=1200.0
                legend=true
                large=true
                segments=vec![
                    Segment::new("Answered", 353.0, "chart-1").href("/dev/ui"),
                    Segment::new("No answer", 300.0, "chart-6"),
                    Segment::new("Failed", 89.0, "bad"),
                ]
            /></div>
            <div class="mt-4"><Progress value=742.0 max=1200.0 label="742 of 1,200"/></div>
            <Facts><Fact label="Length">"5:12"</Fact><Fact label="Number" class="mono">"+41 44 555 01 00"</Fact></Facts>
        </Card>
    }
    .into_any()
}

fn lists() -> AnyView {
    let rows = vec![("Rosa Imhof", "2:14"), ("Tom Adeyemi", "0:41")];
    let people = List::<(&str, &str)>::new("People")
        .search("q", "Search people")
        .filter(Filter::new("state", "State", options_of([("ok", "Fine"), ("bad", "Failed")])))
        .filter(Filter::date("from", "From"))
        .keep(&["sort"])
        .sorted("name")
        .column("Name", |(name, _)| view! { <a href="/dev/ui">{*name}</a> })
        .sort("name")
        .number("Length", |(_, length)| *length)
        .sort("length")
        .note("2 on this page")
        .show(Page { rows, newer: None, older: Some("o1".to_owned()) });
    view! {
        <div class="stack">
            <Tabs label="Parts" items=vec![tab("All", "/dev/ui", true).count(2), tab("Live", "/dev/ui?tab=live", false)]/>
            {people}
        </div>
    }
    .into_any()
}

fn charts() -> AnyView {
    let labels: Vec<String> = (8..20).map(|hour| format!("{hour:02}")).collect();
    let answered: Vec<f64> = [42, 71, 96, 118, 124, 88, 92, 131, 155, 0, 0, 0].map(f64::from).to_vec();
    let missed: Vec<f64> = [19, 27, 36, 43, 47, 42, 34, 50, 35, 0, 0, 0].map(f64::from).to_vec();
    let series = vec![Series::new("Answered", "chart-1", answered), Series::new("No answer", "chart-6", missed)];
    view! {
        <Card title="By hour" right=|| view! { <Legend items=vec![("Answered", "chart-1"), ("No answer", "chart-6")]/> }>
            <BarChart label="By hour" finding="Most at 16:00: 155 answered." labels=labels.clone() series=series.clone() head="Hour"/>
            <LineChart label="By hour, lines" finding="The same as lines." labels series class="short" after="%" head="Hour"/>
        </Card>
    }
    .into_any()
}

fn forms() -> AnyView {
    let wrong = FieldErrors(vec![("name".into(), "Enter a name.".into()), ("mode".into(), "Choose a mode.".into())]);
    view! {
        <Card title="Form">
            <FormScope errors=Signal::stored(wrong) prefix="wrong">
                <form class="form" method="get">
                    <FormErrors/>
                    <TextInput name="name" label="Name" required=true hint="As people say it."/>
                    <TextInput name="cap" label="Cap" prefix_text="$" kind="number" value="40" class="short"/>
                    <Select name="zone" label="Zone" options=options_of([("a", "Zürich"), ("b", "Lisbon")]) value="b" prompt="Choose"/>
                    <DateTimeInput name="start" label="Start" value="2026-11-20T09:00" hint="Europe/Zurich"/>
                    <TextArea name="note" label="Note" value="Two\nlines"/>
                    <RadioCards name="mode" legend="Mode" options=vec![
                        RadioOption::new("a", "Total", "Everyone at once."), RadioOption::new("b", "In turn", "One after the other."),
                    ]/>
                    <Fieldset legend="More">
                        <Checkbox name="record" label="Record" hint="Ask first." checked=true/>
                        <Switch name="live" label="Live"/>
                    </Fieldset>
                    <FileDrop name="file" label="Choose a file" accept=".csv" hint="CSV, up to 20 MB"/>
                    <FormActs><SubmitButton>"Save"</SubmitButton><a class="btn ghost" href="/dev/ui">"Cancel"</a></FormActs>
                </form>
            </FormScope>
        </Card>
    }
    .into_any()
}

fn overlays() -> AnyView {
    view! {
        <Card title="Dialogs and menus">
            <div class="row wrap">
                <DialogLink name="plain">"Open a dialog"</DialogLink>
                <DialogLink name="drawer" kind=ButtonKind::Ghost>"Open a drawer"</DialogLink>
                <Menu id="gallery-menu" label="More" icon="ellipsis">
                    <MenuLink href="/dev/ui" icon="pencil">"Edit"</MenuLink>
                    <MenuButton icon="copy" on:click=|_| toast("Copied")>"Copy"</MenuButton>
                    <hr/>
                    <MenuButton icon="trash-2" danger=true>"Delete"</MenuButton>
                </Menu>
                <Menu id="gallery-menu-2" label="Period" text="Today" icon="calendar-clock" end=true>
                    <MenuLink href="/dev/ui?when=today" current=true>"Today"</MenuLink>
                    <MenuLink href="/dev/ui?when=week">"This week"</MenuLink>
                </Menu>
                <Button on:click=|_| toast("Saved")>"Say so"</Button>
                <Button on:click=|_| toast_with(Tone::Bad, "Not saved: the name is taken.")>"Say no"</Button>
            </div>
            <Dialog name="plain" title="A dialog" footer=|| view! { <dialog::DialogClose name="plain">"Done"</dialog::DialogClose> }>
                <p>"Escape, the cross and a press outside close it."</p>
            </Dialog>
            <Dialog name="drawer" title="A drawer" drawer=true><p>"Comes from the right."</p></Dialog>
        </Card>
    }
    .into_any()
}

fn messages() -> AnyView {
    let trouble = AppError::ProviderDown(
        "The phone company did not answer within 10 seconds. Nothing was placed. Try again in a minute.".into(),
    );
    view! {
        <Card title="Messages">
            <div class="stack gap-3">
                <Banner kind="sandbox">"Nothing real happens here."</Banner>
                <Callout tone=Tone::Warn>"A remark with weight. "<a href="/dev/ui">"Look"</a></Callout>
                <Trouble error=trouble/>
                <EmptyState icon="phone" title="Nothing yet" text="What it is, and one thing to do." small=true>
                    <LinkButton href="/dev/ui" kind=ButtonKind::Primary>"Begin"</LinkButton>
                </EmptyState>
                <NoMatch what="people"/>
                <Skeleton kind="row" count=2/>
            </div>
        </Card>
    }
    .into_any()
}

fn recording() -> AnyView {
    let peaks = (0..200).map(|index| {
        if index % 40 < 22 { [0.3 + (index % 7) as f32 / 12.0, 0.0] } else { [0.0, 0.25 + (index % 5) as f32 / 9.0] }
    });
    let markers = vec![Marker::new(74.0, "wrench", "Tool call", "acc"), Marker::new(168.0, "flag", "Complaint", "bad")];
    view! {
        <Card title="Recording" flush=true>
            <AudioPlayer player=Player::new() src="/dev/silence.wav" seconds=312.0 peaks=Some(peaks.collect()) markers download="/dev/silence.wav"/>
        </Card>
    }
    .into_any()
}

fn data() -> AnyView {
    let value = serde_json::json!({ "lead": { "name": "Hanna", "score": 48, "reached": true }, "tags": ["a", "b"], "note": null });
    view! { <Card title="Data"><Json value name="event"/></Card> }.into_any()
}
