//! A form's field for a file: what may be chosen, what was chosen before, and how to keep or leave that.
//!
//! Browsers never fill such a field in, so what was chosen before is told beside it.

use serde_json::Value;

use super::Page;
use crate::{flows::file::Wanted, pages::Escaped};

impl Page<'_> {
    /// What is told beside the field, and the ids of that.
    pub(super) fn beside_file(&self, name: &str, wanted: &Wanted) -> (String, Vec<String>) {
        let id = Escaped(name);
        let most = wanted.at_most(self.resource_bytes_max);
        let most = self.speech.explain(&most);
        let (kinds, most) = (wanted.kinds(), Escaped(&most));
        let mut beside = format!("<p class=\"help\" id=\"{id}-kinds\">{kinds}; {most}</p>\n");
        let mut described = vec![format!("{id}-kinds")];
        if let Some(chosen) = self.chosen(name) {
            let (label, chosen) = (self.say("Chosen"), Escaped(chosen));
            let keep = self.say("Leave the field empty to keep this file.");
            beside.push_str(&format!(
                "<p class=\"help\" id=\"{id}-chosen\">{label}: <strong>{chosen}</strong>. {keep}</p>\n"
            ));
            described.push(format!("{id}-chosen"));
        }
        (beside, described)
    }

    /// The field, and where there need be no file, how to be without the one that was chosen.
    pub(super) fn file(&self, name: &str, wanted: &Wanted, attributes: &str) -> String {
        let accept = wanted.accept();
        let field = format!("<input type=\"file\" accept=\"{accept}\"{attributes}>\n");
        if self.chosen(name).is_none() || self.step.is_required(name) {
            return field;
        }
        let (id, remove) = (Escaped(name), self.say("Remove the file"));
        format!(
            "{field}<p class=\"box\"><input type=\"checkbox\" id=\"{id}-remove\" name=\"remove.{id}\" value=\"true\">\
             <label for=\"{id}-remove\">{remove}</label></p>\n"
        )
    }

    /// The name of the file that was chosen before.
    pub(super) fn chosen(&self, name: &str) -> Option<&str> {
        let chosen = self.input.get(name)?;
        chosen.get("name").and_then(Value::as_str)
    }
}
