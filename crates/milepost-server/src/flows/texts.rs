//! What pages say, in the language that the reader wants most: the definition's own translations first, then those
//! of this program for what pages say by themselves.

use super::definition::Flow;

/// The texts of pages, in English, Polish and German.
const TEXTS: &[[&str; 3]] = &[
    ["Step", "Krok", "Schritt"],
    ["of", "z", "von"],
    ["Next", "Dalej", "Weiter"],
    ["Back", "Wstecz", "Zurück"],
    ["Finish", "Zakończ", "Abschließen"],
    ["Change", "Zmień", "Ändern"],
    ["Save my place", "Zapisz moje miejsce", "Stand merken"],
    [
        "Keep this link to go on later or on another device. Whoever has it can go on in your place.",
        "Zachowaj ten odnośnik, aby kontynuować później lub na innym urządzeniu. Kto go ma, może kontynuować za Ciebie.",
        "Mit diesem Link geht es später oder auf einem anderen Gerät weiter. Wer ihn hat, kann an Ihrer Stelle weitermachen.",
    ],
    [
        "There is a problem",
        "Wystąpił problem",
        "Es gibt ein Problem",
    ],
    [
        "must be answered",
        "wymaga odpowiedzi",
        "muss beantwortet werden",
    ],
    ["optional", "opcjonalne", "freiwillig"],
    ["Choose", "Wybierz", "Bitte wählen"],
    ["Yes", "Tak", "Ja"],
    ["No", "Nie", "Nein"],
    ["Your answers", "Twoje odpowiedzi", "Ihre Antworten"],
    ["Done", "Gotowe", "Fertig"],
    ["Your reference is", "Twój numer to", "Ihr Zeichen ist"],
    ["Start again", "Zacznij od nowa", "Von vorn beginnen"],
    [
        "Go on with what can be kept",
        "Kontynuuj z tym, co można zachować",
        "Mit dem weitermachen, was bleiben kann",
    ],
    [
        "Something changed while you were busy",
        "Coś się w międzyczasie zmieniło",
        "Inzwischen hat sich etwas geändert",
    ],
    ["was", "było", "war"],
    ["is now", "jest teraz", "ist jetzt"],
    ["What became of it", "Co z tego wyszło", "Was daraus wurde"],
    ["Error", "Błąd", "Fehler"],
    [
        "must be ticked",
        "wymaga zaznaczenia",
        "muss angekreuzt sein",
    ],
    [
        "must be one of the choices",
        "musi być jedną z możliwości",
        "muss eine der Möglichkeiten sein",
    ],
    ["must be text", "musi być tekstem", "muss Text sein"],
    ["must be a number", "musi być liczbą", "muss eine Zahl sein"],
    [
        "must be a whole number",
        "musi być liczbą całkowitą",
        "muss eine ganze Zahl sein",
    ],
    [
        "must be yes or no",
        "musi być „tak” lub „nie”",
        "muss Ja oder Nein sein",
    ],
    [
        "must have at least {} characters",
        "wymaga co najmniej tylu znaków: {}",
        "muss mindestens {} Zeichen haben",
    ],
    [
        "must have at most {} characters",
        "może mieć najwyżej tyle znaków: {}",
        "darf höchstens {} Zeichen haben",
    ],
    [
        "must be at least {}",
        "musi wynosić co najmniej {}",
        "muss mindestens {} sein",
    ],
    [
        "must be at most {}",
        "może wynosić najwyżej {}",
        "darf höchstens {} sein",
    ],
    [
        "must be more than {}",
        "musi być większe niż {}",
        "muss mehr als {} sein",
    ],
    [
        "must be less than {}",
        "musi być mniejsze niż {}",
        "muss weniger als {} sein",
    ],
    [
        "must be an email address, such as name@example.org",
        "musi być adresem e-mail, takim jak name@example.org",
        "muss eine E-Mail-Adresse sein, etwa name@example.org",
    ],
    [
        "must be a date: year, month and day, as in 1990-12-31",
        "musi być datą: rok, miesiąc i dzień, jak w 1990-12-31",
        "muss ein Datum sein: Jahr, Monat und Tag, wie in 1990-12-31",
    ],
    ["Chosen", "Wybrano", "Gewählt"],
    [
        "Leave the field empty to keep this file.",
        "Zostaw pole puste, aby zachować ten plik.",
        "Lassen Sie das Feld leer, um diese Datei zu behalten.",
    ],
    ["Remove the file", "Usuń plik", "Datei entfernen"],
    ["at most {} kB", "najwyżej {} kB", "höchstens {} kB"],
    [
        "at most {} bytes",
        "najwyżej tyle bajtów: {}",
        "höchstens {} Bytes",
    ],
    [
        "must be a file of at most {} kB",
        "musi być plikiem o wielkości najwyżej {} kB",
        "muss eine Datei von höchstens {} kB sein",
    ],
    [
        "must be a file of at most {} bytes",
        "musi być plikiem, który ma najwyżej tyle bajtów: {}",
        "muss eine Datei von höchstens {} Bytes sein",
    ],
    [
        "must be a file of these kinds: {}",
        "musi być plikiem jednego z tych rodzajów: {}",
        "muss eine Datei einer dieser Arten sein: {}",
    ],
    [
        "must not be empty: choose another file",
        "nie może być pusty: wybierz inny plik",
        "darf nicht leer sein: wählen Sie eine andere Datei",
    ],
    [
        "must be sent as a file: in multipart/form-data, with a filename",
        "musi być wysłany jako plik: w multipart/form-data, z nazwą (filename)",
        "muss als Datei gesendet werden: in multipart/form-data, mit einem Namen (filename)",
    ],
    [
        "is no longer there: choose the file again",
        "już go nie ma: wybierz plik jeszcze raz",
        "ist nicht mehr da: wählen Sie die Datei noch einmal",
    ],
    [
        "is not what is asked for any more: choose another file",
        "nie jest już tym, o co się prosi: wybierz inny plik",
        "ist nicht mehr das, was verlangt wird: wählen Sie eine andere Datei",
    ],
    [
        "was handed in with this form before: start again to hand it in once more",
        "został już przekazany w tym formularzu: zacznij od nowa, aby przekazać go jeszcze raz",
        "wurde mit diesem Formular schon eingereicht: beginnen Sie von vorn, um sie noch einmal einzureichen",
    ],
    [
        "must have the form that is asked for",
        "musi mieć podaną postać",
        "muss die verlangte Form haben",
    ],
];

/// The language that somebody is spoken to in, and the words for it.
pub(super) struct Speech<'a> {
    flow: &'a Flow,
    /// `en`, or the tag of a translation.
    pub(super) language: &'a str,
}

impl<'a> Speech<'a> {
    /// The language that `Accept-Language` (RFC 9110 §12.5.4) wants most among those there are.
    pub(super) fn chosen(flow: &'a Flow, wanted: &str) -> Self {
        let mut wanted: Vec<(u32, &str)> = wanted.split(',').filter_map(wish).collect();
        // The order among equals is the reader's.
        wanted.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
        let there = |tag: &str| flow.translations.keys().find(|name| tag == *name);
        let found = wanted.iter().find_map(|(_, tag)| {
            let short = tag.split('-').next().unwrap_or_default();
            let known = there(tag).or_else(|| there(short)).map(String::as_str);
            known.or_else(|| (short == "en").then_some("en"))
        });
        Self {
            flow,
            language: found.unwrap_or("en"),
        }
    }

    /// The text in this language; as it is where nobody said what it is in it.
    pub(super) fn say<'t>(&'t self, text: &'t str) -> &'t str {
        let own = self.flow.translations.get(self.language);
        let own = own.and_then(|texts| texts.get(text)).map(String::as_str);
        own.or_else(|| built_in(self.language, text))
            .unwrap_or(text)
    }

    /// What is wrong with an answer, in this language: a number in it, or what follows a colon, stands for `{}` in
    /// translations.
    pub(super) fn explain(&self, detail: &str) -> String {
        let said = self.say(detail);
        if said != detail {
            return said.to_owned();
        }
        let number = detail
            .split(' ')
            .find(|word| word.parse::<f64>().is_ok_and(f64::is_finite));
        let list = detail.split_once(": ").map(|(_, list)| list);
        let said = number.into_iter().chain(list).find_map(|part| {
            let pattern = detail.replacen(part, "{}", 1);
            let said = self.say(&pattern);
            (said != pattern).then(|| said.replace("{}", part))
        });
        said.unwrap_or_else(|| detail.to_owned())
    }
}

fn built_in(language: &str, text: &str) -> Option<&'static str> {
    let [_, polish, german] = TEXTS.iter().find(|[english, ..]| *english == text)?;
    match language {
        "pl" => Some(polish),
        "de" => Some(german),
        _ => None,
    }
}

/// A language range and its weight in thousandths; `None` for one that isn't wanted.
fn wish(range: &str) -> Option<(u32, &str)> {
    let (tag, weight) = match range.split_once(';') {
        Some((tag, weight)) => (tag, weight.trim().strip_prefix("q=")?),
        None => (range, "1"),
    };
    let (whole, part) = weight.split_once('.').unwrap_or((weight, "0"));
    let part: u32 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    let quality = whole.parse::<u32>().ok()?.min(1) * 1000 + part;
    (quality > 0).then_some((quality, tag.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_is_wanted_most_among_those_there_are() {
        let flow: Flow = serde_json::from_value(serde_json::json!({
            "version": 1, "title": "Registration", "steps": [], "transaction": { "operations": [] },
            "translations": { "pl": { "Registration": "Rejestracja" } } }))
        .unwrap();
        let language = |wanted: &'static str| Speech::chosen(&flow, wanted).language;
        assert_eq!(language("de, pl;q=0.8, en;q=0.5"), "pl");
        assert_eq!(language("en-GB, pl;q=0.9"), "en");
        assert_eq!(language("pl-PL"), "pl");
        assert_eq!(language("pl;q=0, *"), "en");
        assert_eq!(language(""), "en");
        let polish = Speech::chosen(&flow, "pl");
        assert_eq!(polish.say("Registration"), "Rejestracja");
        assert_eq!(polish.say("Next"), "Dalej");
        assert_eq!(polish.say("Ada"), "Ada");
        let short = polish.explain("must have at least 2 characters");
        assert_eq!(short, "wymaga co najmniej tylu znaków: 2");
        let kinds = polish.explain("must be a file of these kinds: PNG, PDF");
        assert_eq!(kinds, "musi być plikiem jednego z tych rodzajów: PNG, PDF");
        assert_eq!(polish.explain("has 3 heads"), "has 3 heads");
    }
}
