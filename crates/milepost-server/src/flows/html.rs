//! A flow's pages: plain forms that work without script, with labels, help, errors beside their fields and a
//! summary of them, and where one is (WCAG 2.2: 1.3.1, 1.3.5, 2.4.2, 3.3.1, 3.3.2, 4.1.2).

mod file;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
};
use milepost_semantics::Issue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{definition::Step, file::Wanted, texts::Speech};
use crate::pages::Escaped;

const STYLE: &str = ":root{color-scheme:light dark}\
body{font:1.125rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:40rem;padding:1.5rem 1rem}\
h1{line-height:1.2}label,legend{display:block;font-weight:600}\
.field{margin:1.25rem 0}.help{margin:.1rem 0 .3rem;opacity:.8}\
.wrong{border-inline-start:.3rem solid #c5221f;padding-inline-start:.8rem}\
.error{color:#c5221f;font-weight:600;margin:.1rem 0 .3rem}\
@media(prefers-color-scheme:dark){.error{color:#ff8a80}}\
input:not([type=checkbox]),select,textarea{box-sizing:border-box;font:inherit;padding:.4rem;width:100%}\
input[type=checkbox]{height:1.5rem;width:1.5rem;margin-inline-end:.6rem;vertical-align:middle}\
.box label{display:inline}\
:focus-visible{outline:3px solid #1a73e8;outline-offset:2px}\
h2{font-size:1.25rem;line-height:1.3}.flow{margin:0;opacity:.8}\
button{background:none;border:2px solid currentcolor;border-radius:.3rem;color:inherit;cursor:pointer;font:inherit;\
margin-block:.3rem;margin-inline-end:.6rem;padding:.5rem 1.2rem}\
button[value=next]{background:#0b57d0;border-color:#0b57d0;color:#fff;font-weight:600}\
[role=alert]{border:3px solid #c5221f;padding:0 1rem;margin:1rem 0}[role=alert] ul{padding-inline-start:1.2rem}\
dt{font-weight:600;margin-top:.6rem}dd{margin:0;overflow-wrap:anywhere}\
details{margin-top:2rem}details a{overflow-wrap:anywhere}";

/// What one page shows.
pub(super) struct Page<'a> {
    pub(super) speech: &'a Speech<'a>,
    pub(super) title: &'a str,
    /// What the flow is about, told at its first step.
    pub(super) description: Option<&'a str>,
    pub(super) step: &'a Step,
    /// The step's place, from 1, and how many there are.
    pub(super) place: (usize, usize),
    /// What stands in the fields.
    pub(super) input: &'a Map<String, Value>,
    pub(super) wrong: &'a [Issue],
    /// What is told above all, as HTML.
    pub(super) notice: String,
    /// What was answered earlier.
    pub(super) review: Vec<Answered<'a>>,
    /// Of each resource shown, what stands under which title.
    pub(super) shown: Vec<Map<String, Value>>,
    pub(super) state: &'a str,
    pub(super) submit: &'a str,
    pub(super) save: Option<&'a str>,
    /// The largest resource, in bytes: files are no larger.
    pub(super) resource_bytes_max: usize,
}

/// What was answered at a step, and the link to change it.
pub(super) struct Answered<'a> {
    pub(super) step: &'a Step,
    /// As people are shown them.
    pub(super) answers: Value,
    pub(super) change: Option<String>,
}

/// Makes fields of a response those of a page.
pub(super) fn mark(fields: &mut HeaderMap) {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    fields.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        fields.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// A whole page; `main` is HTML already.
pub(super) fn whole(language: &str, title: &str, main: &str) -> String {
    let (language, title) = (Escaped(language), Escaped(title));
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{main}</main>\n</body>\n</html>\n"
    )
}

/// A link.
pub(super) fn link(href: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", Escaped(href), Escaped(text))
}

impl Page<'_> {
    fn say<'t>(&'t self, text: &'t str) -> Escaped<'t> {
        Escaped(self.speech.say(text))
    }

    /// The page.
    pub(super) fn render(&self) -> String {
        let (at, of) = self.place;
        let progress = format!("{} {at} {} {of}", self.say("Step"), self.say("of"));
        let wrong = format!("{}: ", self.speech.say("Error"));
        let title = format!(
            "{}{} – {}",
            if self.wrong.is_empty() { "" } else { &wrong },
            self.speech.say(&self.step.title),
            self.speech.say(self.title)
        );
        let about = self.description.filter(|_| at == 1);
        let help = about.into_iter().chain(self.step.help.as_deref());
        let help: String = help
            .map(|help| format!("<p>{}</p>\n", self.say(help)))
            .collect();
        let main = format!(
            "<p class=\"flow\">{flow}</p>\n{notice}{summary}<h1>{heading}</h1>\n\
             <p id=\"progress\"><progress max=\"{of}\" value=\"{at}\" aria-labelledby=\"progress\"></progress> {progress}</p>\n\
             {help}{shown}{review}<form method=\"post\" action=\"{submit}\"{encoding}>\n\
             <input type=\"hidden\" name=\"state\" value=\"{state}\">\n{fields}{buttons}</form>\n{save}",
            flow = self.say(self.title),
            notice = self.notice,
            summary = self.summary(),
            heading = self.say(&self.step.title),
            shown = self.shown(),
            review = self.review(),
            submit = Escaped(self.submit),
            encoding = if self.step.has_files() {
                " enctype=\"multipart/form-data\""
            } else {
                ""
            },
            state = Escaped(self.state),
            fields = self.fields(),
            buttons = self.buttons(),
            save = self.save(),
        );
        whole(self.speech.language, &title, &main)
    }

    /// All that is wrong, with links to the fields.
    fn summary(&self) -> String {
        if self.wrong.is_empty() {
            return String::new();
        }
        let one = |issue: &Issue| {
            let detail = self.speech.explain(&issue.detail);
            let detail = Escaped(&detail);
            let name = issue.name.strip_prefix("/input/").unwrap_or_default();
            let name = name.split('/').next().unwrap_or_default();
            if !self.step.properties().any(|(property, _)| property == name) {
                return format!("<li>{detail}</li>\n");
            }
            let (label, id) = (self.label(name), Escaped(name));
            format!("<li><a href=\"#{id}\">{label}</a>: {detail}</li>\n")
        };
        let all: String = self.wrong.iter().map(one).collect();
        format!(
            "<div role=\"alert\" tabindex=\"-1\" autofocus>\n<h2>{}</h2>\n<ul>\n{all}</ul>\n</div>\n",
            self.say("There is a problem")
        )
    }

    fn label(&self, name: &str) -> String {
        let found = self
            .step
            .properties()
            .find(|(property, _)| *property == name);
        let title = found.and_then(|(_, schema)| schema.get("title")?.as_str());
        self.say(title.unwrap_or(name)).to_string()
    }

    fn shown(&self) -> String {
        let one = |titled: &Map<String, Value>| self.definitions(titled);
        self.shown.iter().map(one).collect()
    }

    /// The scalar members of a value, as terms and descriptions.
    fn definitions(&self, members: &Map<String, Value>) -> String {
        let members = members.iter();
        let one = |(name, value): (&String, &Value)| {
            let text = self.text(value)?;
            Some(format!("<dt>{}</dt><dd>{text}</dd>\n", self.say(name)))
        };
        let all: String = members.filter_map(one).collect();
        format!("<dl>\n{all}</dl>\n")
    }

    fn text(&self, value: &Value) -> Option<String> {
        Some(match value {
            Value::String(text) => self.say(text).to_string(),
            Value::Bool(true) => self.say("Yes").to_string(),
            Value::Bool(false) => self.say("No").to_string(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        })
    }

    fn review(&self) -> String {
        let one = |answered: &Answered<'_>| {
            let Answered {
                step,
                answers,
                change,
            } = answered;
            let titled: Map<String, Value> = step
                .properties()
                .filter_map(|(name, schema)| {
                    let title = schema.get("title").and_then(Value::as_str).unwrap_or(name);
                    Some((title.to_owned(), answers.get(name)?.clone()))
                })
                .collect();
            let text = format!(
                "{}: {}",
                self.speech.say("Change"),
                self.speech.say(&step.title)
            );
            let change = change
                .as_deref()
                .map(|href| format!("<p>{}</p>\n", link(href, &text)));
            format!(
                "<h2>{}</h2>\n{}{}",
                self.say(&step.title),
                self.definitions(&titled),
                change.unwrap_or_default()
            )
        };
        self.review.iter().map(one).collect()
    }

    fn fields(&self) -> String {
        self.step
            .properties()
            .map(|(name, schema)| self.field(name, schema))
            .collect()
    }

    /// A field with its label, help and errors, tied to each other.
    fn field(&self, name: &str, schema: &Value) -> String {
        let id = Escaped(name);
        let is_box = schema.get("type") == Some(&Value::from("boolean"));
        // A box that must be answered may be answered by leaving it empty, unless it must be ticked.
        let must_be_ticked = schema.get("const") == Some(&Value::Bool(true));
        let is_required = self.step.is_required(name) && (!is_box || must_be_ticked);
        let wanted = Wanted::of(schema);
        let (beside, mut attributes) = self.beside(name, schema, wanted.as_ref());
        if is_required && (wanted.is_none() || self.chosen(name).is_none()) {
            attributes.push_str(" required");
        }
        let optional = if is_required || is_box {
            String::new()
        } else {
            format!(" ({})", self.say("optional"))
        };
        let label = format!(
            "<label for=\"{id}\">{}{optional}</label>\n",
            self.label(name)
        );
        let control = match &wanted {
            Some(wanted) => self.file(name, wanted, &attributes),
            None => self.control(schema, self.input.get(name), &attributes),
        };
        let wrong = if attributes.contains("aria-invalid") {
            " wrong"
        } else {
            ""
        };
        if is_box {
            return format!("<div class=\"field box{wrong}\">\n{control}{label}{beside}</div>\n");
        }
        format!("<div class=\"field{wrong}\">\n{label}{beside}{control}</div>\n")
    }

    /// Help and errors of a field, and its attributes, which point at them.
    fn beside(&self, name: &str, schema: &Value, wanted: Option<&Wanted>) -> (String, String) {
        let id = Escaped(name);
        let pointer = format!("/input/{name}");
        let wrong = self.wrong.iter().filter(|issue| issue.name == pointer);
        let errors: Vec<String> = wrong
            .map(|issue| self.speech.explain(&issue.detail))
            .map(|detail| Escaped(&detail).to_string())
            .collect();
        let mut described = Vec::new();
        let mut beside = String::new();
        if let Some(help) = schema.get("description").and_then(Value::as_str) {
            described.push(format!("{id}-help"));
            let help = self.say(help);
            beside.push_str(&format!("<p class=\"help\" id=\"{id}-help\">{help}</p>\n"));
        }
        if let Some(wanted) = wanted {
            let (told, ids) = self.beside_file(name, wanted);
            beside.push_str(&told);
            described.extend(ids);
        }
        let mut attributes = format!(" id=\"{id}\" name=\"input.{id}\"");
        if !errors.is_empty() {
            described.push(format!("{id}-error"));
            let errors = errors.join("; ");
            beside.push_str(&format!(
                "<p class=\"error\" id=\"{id}-error\">{errors}</p>\n"
            ));
            attributes.push_str(" aria-invalid=\"true\"");
        }
        if !described.is_empty() {
            attributes.push_str(&format!(" aria-describedby=\"{}\"", described.join(" ")));
        }
        if let Some(complete) = schema.get("autocomplete").and_then(Value::as_str) {
            attributes.push_str(&format!(" autocomplete=\"{}\"", Escaped(complete)));
        }
        (beside, attributes)
    }

    fn control(&self, schema: &Value, value: Option<&Value>, attributes: &str) -> String {
        let is_ticked = value == Some(&Value::Bool(true));
        let text = match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.choice(choices, &text, attributes);
        }
        let value = format!(" value=\"{}\"", Escaped(&text));
        let word = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default();
        let longest = schema.get("maxLength").and_then(Value::as_u64);
        match (word("type"), word("format")) {
            ("boolean", _) => {
                let ticked = if is_ticked { " checked" } else { "" };
                format!("<input type=\"checkbox\" value=\"true\"{attributes}{ticked}>\n")
            }
            ("integer", _) => {
                format!("<input type=\"text\" inputmode=\"numeric\"{attributes}{value}>\n")
            }
            ("number", _) => {
                format!("<input type=\"text\" inputmode=\"decimal\"{attributes}{value}>\n")
            }
            (_, "date") => format!("<input type=\"date\"{attributes}{value}>\n"),
            (_, "email") => format!("<input type=\"email\"{attributes}{value}>\n"),
            _ if longest.is_some_and(|longest| longest > 200) => {
                format!(
                    "<textarea rows=\"5\"{attributes}>{}</textarea>\n",
                    Escaped(&text)
                )
            }
            _ => format!("<input type=\"text\"{attributes}{value}>\n"),
        }
    }

    fn choice(&self, choices: &[Value], chosen: &str, attributes: &str) -> String {
        let one = |choice: &Value| {
            let text = choice.as_str()?;
            let selected = if text == chosen { " selected" } else { "" };
            let (value, shown) = (Escaped(text), self.say(text));
            Some(format!(
                "<option value=\"{value}\"{selected}>{shown}</option>\n"
            ))
        };
        let all: String = choices.iter().filter_map(one).collect();
        let none = self.say("Choose");
        format!("<select{attributes}>\n<option value=\"\">{none}</option>\n{all}</select>\n")
    }

    fn buttons(&self) -> String {
        let (at, of) = self.place;
        let onward = self.say(if at < of { "Next" } else { "Finish" });
        let back = if at > 1 {
            let text = self.say("Back");
            format!("<button name=\"go\" value=\"back\" formnovalidate>{text}</button>\n")
        } else {
            String::new()
        };
        // The first button is the one that the Enter key presses.
        format!("<p><button name=\"go\" value=\"next\">{onward}</button>\n{back}</p>\n")
    }

    fn save(&self) -> String {
        let Some(href) = self.save else {
            return String::new();
        };
        let why = "Keep this link to go on later or on another device. Whoever has it can go on in your place.";
        format!(
            "<details><summary>{}</summary>\n<p>{}</p>\n<p>{}</p>\n</details>\n",
            self.say("Save my place"),
            self.say(why),
            link(href, self.speech.say("Save my place"))
        )
    }
}
