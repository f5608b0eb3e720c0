//! Flows, as people walk through them: plain forms in pages, and links.

use serde_json::Value;

use crate::{
    flows::{CHECKOUT, REGISTRATION, answers, shop},
    scene::{Reply, Scene},
};

const PEOPLE: (&str, &str) = ("accept", "text/html");

async fn page(scene: &Scene, url: &str) -> Reply {
    scene.get_with(url, &[PEOPLE]).await
}

/// The value of a hidden field.
fn state(page: &str) -> String {
    let from = page.split("name=\"state\" value=\"").nth(1).unwrap();
    from.split('"').next().unwrap().to_owned()
}

async fn submitted(scene: &Scene, state: &str, fields: &[(&str, &str)]) -> Reply {
    submitted_to(scene, REGISTRATION, state, fields).await
}

async fn submitted_to(scene: &Scene, flow: &str, state: &str, fields: &[(&str, &str)]) -> Reply {
    let mut body = format!("state={state}");
    for (name, value) in fields {
        let value: String =
            percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
                .collect();
        body.push_str(&format!("&{name}={value}"));
    }
    let form = ("content-type", "application/x-www-form-urlencoded");
    scene.ask("POST", flow, &[form, PEOPLE], &body).await
}

/// Fills in the form on a page as a reader would, and follows where it leads.
async fn filled(scene: &Scene, page_text: &str, input: &Value) -> Reply {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let ticked = input
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, value)| **value != Value::Bool(false));
    let fields: Vec<(String, String)> = ticked
        .map(|(name, value)| (format!("input.{name}"), text(value)))
        .collect();
    let mut fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.push(("go", "next"));
    let reply = submitted(scene, &state(page_text), &fields).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    page(scene, reply.field("location")).await
}

#[tokio::test]
async fn the_registration_works_as_plain_pages_with_reload_back_and_a_second_tab() {
    let scene = shop().await;
    let mut here = page(&scene, REGISTRATION).await;
    let mut earlier = Vec::new();
    for (_, input) in answers() {
        assert!(here.text().contains("<h1>"), "{here:?}");
        earlier.push(here.text().to_owned());
        here = filled(&scene, here.text(), &input).await;
    }
    assert!(here.text().contains("<h1>Done</h1>"), "{here:?}");
    assert_eq!(scene.get("/v1/registrations").await.ids().len(), 1);

    // Back to the review, and once more.
    let again = filled(&scene, &earlier[4], &answers()[4].1).await;
    assert_eq!(again.text(), here.text());
    assert_eq!(scene.get("/v1/registrations").await.ids().len(), 1);
    let review = &earlier[4];
    assert!(
        review.contains("Ada Lovelace") && review.contains("Change: About you"),
        "{review}"
    );
}

#[tokio::test]
async fn a_page_names_its_fields_tells_what_is_wrong_beside_them_and_runs_no_script() {
    let scene = shop().await;
    let first = page(&scene, REGISTRATION).await;
    assert_eq!(first.field("content-type"), "text/html; charset=utf-8");
    assert_eq!(first.field("cache-control"), "no-store");
    assert!(
        first
            .field("content-security-policy")
            .contains("default-src 'none'")
    );
    assert!(
        first
            .text()
            .contains("<label for=\"name\">Full name</label>"),
        "{first:?}"
    );
    assert!(first.text().contains("Step 1 of 5"));
    assert!(!first.text().contains("<script"));

    let reply = submitted(
        &scene,
        &state(first.text()),
        &[("input.email", "<nobody>"), ("go", "next")],
    )
    .await;
    assert_eq!(reply.status, 400);
    let text = reply.text();
    assert!(
        text.contains("role=\"alert\"")
            && text.contains("<a href=\"#name\">Full name</a>: must be answered"),
        "{text}"
    );
    assert!(
        text.contains("aria-invalid=\"true\" aria-describedby=\"email-help email-error\""),
        "{text}"
    );
    assert!(
        text.contains("value=\"&lt;nobody&gt;\""),
        "what was typed stays"
    );
    assert!(
        text.contains("<title>Error: About you – Register as a reader</title>"),
        "{text}"
    );
    assert!(
        text.contains("must be an email address, such as name@example.org"),
        "in words for people: {text}"
    );
}

#[tokio::test]
async fn the_back_button_of_a_page_keeps_what_was_answered() {
    let scene = shop().await;
    let first = page(&scene, REGISTRATION).await;
    let second = filled(&scene, first.text(), &answers()[0].1).await;
    let back = submitted(
        &scene,
        &state(second.text()),
        &[("input.city", "London"), ("go", "back")],
    )
    .await;
    assert_eq!(back.status, 303);
    let first = page(&scene, back.field("location")).await;
    assert!(first.text().contains("value=\"Ada Lovelace\""), "{first:?}");
}

#[tokio::test]
async fn pages_speak_the_readers_language() {
    let scene = shop().await;
    let polish = scene
        .get_with(REGISTRATION, &[PEOPLE, ("accept-language", "pl, en;q=0.5")])
        .await;
    assert!(polish.text().contains("<html lang=\"pl\">"));
    assert!(
        polish
            .text()
            .contains("<label for=\"name\">Imię i nazwisko</label>"),
        "{polish:?}"
    );
    assert!(polish.text().contains("Krok 1 z 5") && polish.text().contains("Dalej"));
}

#[tokio::test]
async fn a_state_that_does_not_open_is_a_page_that_leads_on() {
    let scene = shop().await;
    let lost = page(&scene, &format!("{REGISTRATION}?place=v1.aaaaaaaa.AAAA")).await;
    assert_eq!(lost.status, 400);
    assert_eq!(lost.field("content-type"), "text/html; charset=utf-8");
    assert!(
        lost.text()
            .contains(&format!("<a href=\"{REGISTRATION}\">Start again</a>")),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_price_that_changed_is_shown_before_and_after_and_accepted_by_the_same_button() {
    let scene = shop().await;
    let first = page(&scene, CHECKOUT).await;
    let item = [
        ("input.edition", "solaris-1961"),
        ("input.quantity", "3"),
        ("go", "next"),
    ];
    let next = submitted_to(&scene, CHECKOUT, &state(first.text()), &item).await;
    let confirm = page(&scene, next.field("location")).await;
    assert!(
        confirm
            .text()
            .contains("<dt>Price in cents</dt><dd>1000</dd>"),
        "{confirm:?}"
    );
    scene
        .write(
            "/v1/editions/solaris-1961",
            r#"{"title":"Solaris","priceCents":1200}"#,
        )
        .await;

    let finish = [("go", "next")];
    let told = submitted_to(&scene, CHECKOUT, &state(confirm.text()), &finish).await;
    assert_eq!(told.status, 412);
    let says = "Price in cents was <del>1000</del>, is now <ins>1200</ins>";
    assert!(
        told.text().contains("role=\"alert\"") && told.text().contains(says),
        "{told:?}"
    );
    assert!(scene.get("/v1/orders").await.ids().is_empty());
    let done = submitted_to(&scene, CHECKOUT, &state(told.text()), &finish).await;
    assert_eq!(done.status, 303, "{done:?}");
    assert_eq!(scene.get("/v1/orders").await.ids().len(), 1);
}
