//! Small accessible HTML pages, from the little Markdown that explanations are written in:
//! paragraphs and `code`. No script, and nothing is loaded.

use std::fmt;

use http::HeaderValue;

/// What a browser may do with a page: show it, in its own style, which is named by its hash.
pub(super) const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-14tcDN1sPVOYtY0fza0geJqz3dlzALy21Ofu87xNZbU='; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

const STYLE: &str = ":root{color-scheme:light dark}\
body{font:1rem/1.6 system-ui,sans-serif;margin:0 auto;max-width:45rem;padding:2rem 1rem}\
h1{line-height:1.2}code{font-size:.95em}\
table{border-collapse:collapse}caption{text-align:start}\
th,td{border-block-end:1px solid;padding:.25rem 1rem .25rem 0;text-align:start;vertical-align:top}";

/// A whole page; `main` is HTML already.
pub(super) fn page(title: &str, main: &str) -> String {
    let title = Escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{main}</main>\n</body>\n</html>\n"
    )
}

/// Paragraphs are separated by empty lines; what stands between backticks is code.
pub(super) fn paragraphs(markdown: &str) -> String {
    let paragraphs = markdown.split("\n\n").map(|paragraph| {
        let spans = paragraph.split('`').enumerate().map(|(index, span)| {
            let span = Escaped(span);
            if index % 2 == 1 {
                format!("<code>{span}</code>")
            } else {
                span.to_string()
            }
        });
        format!("<p>{}</p>\n", spans.collect::<String>())
    });
    paragraphs.collect()
}

/// Text as HTML shows it.
pub(crate) struct Escaped<'t>(pub(crate) &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_names_the_style_and_nothing_else() {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let policy = PAGE_POLICY.to_str().unwrap().to_owned();
        assert!(
            policy.contains(&format!("style-src 'sha256-{hash}'")),
            "{hash}"
        );
        assert!(policy.starts_with("default-src 'none'"));
        assert!(!policy.contains("script-src"));
    }

    #[test]
    fn explanations_become_paragraphs_with_code() {
        let html = paragraphs("Send `a < b` & go.\n\nThen \"stop\".");
        assert_eq!(
            html,
            "<p>Send <code>a &lt; b</code> &amp; go.</p>\n<p>Then &quot;stop&quot;.</p>\n"
        );
    }

    #[test]
    fn every_backtick_in_an_explanation_is_closed() {
        for kind in milepost_semantics::ProblemType::ALL {
            assert_eq!(kind.explanation().matches('`').count() % 2, 0, "{kind:?}");
        }
    }
}
