//! What the operator says about the API: title, description, whom to ask.

/// What the documentation says about the API as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiInfo {
    /// The API's name.
    pub title: String,
    /// What it is for, in Markdown.
    pub description: String,
    /// Who answers questions about it.
    pub contact: Contact,
}

/// Who answers questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// A name.
    pub name: String,
    /// An email address.
    pub email: String,
    /// The URL of a page.
    pub url: String,
}

impl Default for ApiInfo {
    fn default() -> Self {
        Self {
            title: "Milepost".to_owned(),
            description: "JSON resources over HTTP, from a service that keeps nothing about its \
                          clients between requests."
                .to_owned(),
            contact: Contact::default(),
        }
    }
}

impl Default for Contact {
    /// Nobody in particular: names and addresses that are reserved for examples.
    fn default() -> Self {
        Self {
            name: "The operator of this service".to_owned(),
            email: "operator@example.org".to_owned(),
            url: "https://example.org/milepost".to_owned(),
        }
    }
}
