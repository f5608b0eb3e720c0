//! Findings that somebody accepts: with a reason, until a day, and shown all the same.

use serde::Deserialize;

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The check, `SC-3`.
    pub check: String,
    /// The operation as the report names it, `GET /cart`; absent: every one.
    #[serde(default)]
    pub operation: Option<String>,
    /// Why it is accepted; never empty.
    pub reason: String,
    /// The last day on which it is, `2027-01-31`.
    pub expires: String,
}

impl Waiver {
    /// Reads a file of waivers: a JSON array.
    ///
    /// # Errors
    /// What is wrong with it, one sentence.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let waivers: Vec<Self> = serde_json::from_str(text).map_err(|error| {
            format!("the waivers are no array of {{check, operation?, reason, expires}}: {error}")
        })?;
        for waiver in &waivers {
            if waiver.reason.trim().is_empty() {
                return Err(format!("the waiver of {} gives no reason", waiver.check));
            }
            if !is_day(&waiver.expires) {
                return Err(format!(
                    "the waiver of {} expires on {:?}, which is no day like 2027-01-31",
                    waiver.check, waiver.expires
                ));
            }
        }
        Ok(waivers)
    }

    /// Whether it accepts a finding of a check at an operation, today.
    pub(crate) fn accepts(&self, check: &str, operation: Option<&str>, today: &str) -> bool {
        let at = self.operation.is_none() || self.operation.as_deref() == operation;
        self.check == check && at && self.expires.as_str() >= today
    }

    /// Whether its day has passed.
    pub(crate) fn is_expired(&self, today: &str) -> bool {
        self.expires.as_str() < today
    }
}

fn is_day(text: &str) -> bool {
    let shape = |(at, c): (usize, char)| {
        if at == 4 || at == 7 {
            c == '-'
        } else {
            c.is_ascii_digit()
        }
    };
    text.len() == 10 && text.chars().enumerate().all(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_needs_a_reason_and_a_day_and_ends_on_it() {
        let text = r#"[{"check":"SC-1","reason":"affinity","expires":"2027-01-31"}]"#;
        let waivers = Waiver::parse_all(text).unwrap();
        assert!(waivers[0].accepts("SC-1", Some("GET /"), "2027-01-31"));
        assert!(!waivers[0].accepts("SC-1", None, "2027-02-01"));
        assert!(!waivers[0].accepts("SC-2", None, "2027-01-01"));
        for wrong in [
            r#"[{"check":"SC-1","reason":" ","expires":"2027-01-31"}]"#,
            r#"[{"check":"SC-1","reason":"x","expires":"soon"}]"#,
            r#"[{"check":"SC-1","reason":"x"}]"#,
        ] {
            assert!(Waiver::parse_all(wrong).is_err(), "{wrong}");
        }
    }
}
