use html5gum::emitters::default::{StartTag, Token};
use html5gum::{DefaultEmitter, Tokenizer};

/// What a browser makes of a page's HTML, as far as tests ask.
#[derive(Debug, Default)]
pub struct Page {
    /// The texts of all `title` elements of the document.
    pub titles: Vec<String>,
    pub forms: Vec<Form>,
}

/// A form with what it would send.
#[derive(Debug, Default)]
pub struct Form {
    pub action: String,
    id: String,
    inputs: Vec<Input>,
}

#[derive(Debug, Clone, Default)]
struct Input {
    name: String,
    kind: Kind,
    value: String,
    /// Goes along unless the test says otherwise: a tick that is set, a chosen option, any text.
    is_sent: bool,
    is_disabled: bool,
    /// Of a list: the values to choose from.
    options: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Text,
    Hidden,
    Tick,
    Radio,
    List,
    Button,
    File,
}

impl Page {
    pub fn read(html: &str) -> Self {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut reader = Reader::default();
        for token in Tokenizer::new_with_emitter(html, emitter) {
            match token.expect("text cannot fail to be read") {
                Token::StartTag(tag) => reader.start(&tag),
                Token::EndTag(tag) => reader.end(&tag.name),
                Token::String(text) => reader.text(&String::from_utf8_lossy(&text)),
                _ => {}
            }
        }
        reader.done()
    }

    /// The fields that the form with this action sends once `given` is filled in. Says what is wrong if there is no such form.
    ///
    /// A hidden input cannot be filled in: naming one chooses, among forms with one action, the one that holds this value.
    pub fn filled(&self, action: &str, given: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let forms: Vec<&Form> = self.forms.iter().filter(|form| form.action == action).collect();
        let tries: Vec<_> = forms.iter().map(|form| form.filled(given)).collect();
        let mut refusals = Vec::new();
        for tried in tries {
            match tried {
                Ok(fields) => return Ok(fields),
                Err(refusal) => refusals.push(refusal),
            }
        }
        let actions: Vec<&str> = self.forms.iter().map(|form| form.action.as_str()).collect();
        Err(format!("no form {action} takes this: {refusals:?}; the page has {actions:?}"))
    }
}

impl Form {
    fn filled(&self, given: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        for (name, value) in given {
            self.check(name, value)?;
        }
        let mut buttons = self.inputs.iter().filter(|input| input.kind == Kind::Button).peekable();
        if buttons.peek().is_some() && buttons.all(|button| button.is_disabled) {
            return Err("its button cannot be pressed".to_owned());
        }
        let mut fields = Vec::new();
        // A text that the test gives several times, as a page with several fields of one name would.
        let mut used = vec![false; given.len()];
        for input in self.inputs.iter().filter(|input| !input.name.is_empty() && !input.is_disabled) {
            let of_name = || given.iter().enumerate().filter(|(_, (name, _))| *name == input.name);
            let is_named = of_name().next().is_some();
            match input.kind {
                Kind::Tick | Kind::Radio => {
                    let is_wanted = of_name().any(|(_, (_, value))| *value == input.value);
                    if if is_named { is_wanted } else { input.is_sent } {
                        fields.push((input.name.clone(), input.value.clone()));
                    }
                }
                Kind::Button => {
                    if of_name().any(|(_, (_, value))| *value == input.value) {
                        fields.push((input.name.clone(), input.value.clone()));
                    }
                }
                Kind::Text | Kind::List => {
                    let next = of_name().find(|(index, _)| !used[*index]).map(|(index, (_, value))| (index, *value));
                    if let Some((index, value)) = next {
                        used[index] = true;
                        fields.push((input.name.clone(), value.to_owned()));
                    } else if input.kind == Kind::Text || input.is_sent {
                        fields.push((input.name.clone(), input.value.clone()));
                    }
                }
                Kind::Hidden => fields.push((input.name.clone(), input.value.clone())),
                Kind::File => {}
            }
        }
        Ok(fields)
    }

    /// Whether a person can give the field this value.
    fn check(&self, name: &str, value: &str) -> Result<(), String> {
        let found: Vec<&Input> = self.inputs.iter().filter(|input| input.name == name && !input.is_disabled).collect();
        if found.is_empty() {
            let names: Vec<&str> = self.inputs.iter().map(|input| input.name.as_str()).collect();
            return Err(format!("there is no field {name:?} among {names:?}"));
        }
        let fits = |input: &&Input| match input.kind {
            Kind::Text => true,
            Kind::List => input.options.iter().any(|option| option == value),
            Kind::Tick => value.is_empty() || input.value == value,
            Kind::Hidden | Kind::Radio | Kind::Button => input.value == value,
            Kind::File => false,
        };
        if found.iter().any(fits) {
            return Ok(());
        }
        Err(format!("the field {name:?} cannot be {value:?}: {found:?}"))
    }
}

/// Goes through a document.
#[derive(Default)]
struct Reader {
    page: Page,
    /// Inputs outside a form that say which one they belong to, by its id.
    outside: Vec<(String, Input)>,
    is_in_form: bool,
    is_in_svg: bool,
    in_title: Option<String>,
    in_textarea: Option<(String, Input)>,
    in_list: Option<(String, Input)>,
    /// An option without a value has its text for one.
    in_option: Option<(String, bool)>,
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

impl Reader {
    fn start(&mut self, tag: &StartTag<()>) {
        let get = |name: &str| attribute(tag, name);
        let text = |name: &str| get(name).unwrap_or_default();
        let input = |kind: Kind, value: String| Input {
            name: text("name"),
            kind,
            value,
            is_sent: true,
            is_disabled: get("disabled").is_some(),
            options: Vec::new(),
        };
        match tag.name.as_slice() {
            b"svg" => self.is_in_svg = !tag.self_closing,
            // A drawing's title is not the document's.
            b"title" if !self.is_in_svg => self.in_title = Some(String::new()),
            b"form" => {
                self.is_in_form = true;
                self.page.forms.push(Form { action: text("action"), id: text("id"), inputs: Vec::new() });
            }
            b"input" => {
                let kind = match text("type").as_str() {
                    "hidden" => Kind::Hidden,
                    "checkbox" => Kind::Tick,
                    "radio" => Kind::Radio,
                    "file" => Kind::File,
                    "submit" => Kind::Button,
                    _ => Kind::Text,
                };
                let usual = if matches!(kind, Kind::Tick | Kind::Radio) { "on" } else { "" };
                let mut input = input(kind, get("value").unwrap_or_else(|| usual.to_owned()));
                input.is_sent = !matches!(kind, Kind::Tick | Kind::Radio) || get("checked").is_some();
                self.put(text("form"), input);
            }
            b"button" if text("type") != "button" => self.put(text("form"), input(Kind::Button, text("value"))),
            b"textarea" => self.in_textarea = Some((text("form"), input(Kind::Text, String::new()))),
            b"select" => {
                let mut list = input(Kind::List, String::new());
                list.is_sent = false;
                self.in_list = Some((text("form"), list));
            }
            b"option" => {
                self.end_option();
                if let Some((_, list)) = &mut self.in_list {
                    let is_chosen = get("selected").is_some();
                    match get("value") {
                        Some(value) => choose(list, value, is_chosen),
                        None => self.in_option = Some((String::new(), is_chosen)),
                    }
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"svg" => self.is_in_svg = false,
            b"title" => self.page.titles.extend(self.in_title.take()),
            b"form" => self.is_in_form = false,
            b"textarea" => {
                if let Some((form, mut input)) = self.in_textarea.take() {
                    // The line break after the tag is not part of the text.
                    input.value = input.value.strip_prefix('\n').unwrap_or(&input.value).to_owned();
                    self.put(form, input);
                }
            }
            b"option" => self.end_option(),
            b"select" => {
                self.end_option();
                if let Some((form, list)) = self.in_list.take() {
                    self.put(form, list);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(title) = &mut self.in_title {
            title.push_str(text);
        } else if let Some((_, input)) = &mut self.in_textarea {
            input.value.push_str(text);
        } else if let Some((option, _)) = &mut self.in_option {
            option.push_str(text);
        }
    }

    fn end_option(&mut self) {
        if let (Some((value, is_chosen)), Some((_, list))) = (self.in_option.take(), &mut self.in_list) {
            choose(list, value.trim().to_owned(), is_chosen);
        }
    }

    fn put(&mut self, form: String, input: Input) {
        match (form.is_empty(), self.page.forms.last_mut()) {
            (true, Some(last)) if self.is_in_form => last.inputs.push(input),
            (true, _) => {}
            (false, _) => self.outside.push((form, input)),
        }
    }

    fn done(mut self) -> Page {
        for (id, input) in self.outside {
            let form = self.page.forms.iter_mut().find(|form| form.id == id);
            form.unwrap_or_else(|| panic!("{input:?} belongs to a form {id:?} that is not there")).inputs.push(input);
        }
        self.page
    }
}

/// A list without a chosen option sends its first.
fn choose(list: &mut Input, value: String, is_chosen: bool) {
    if is_chosen || !list.is_sent {
        list.value.clone_from(&value);
        list.is_sent = true;
    }
    list.options.push(value);
}
