//! `rules test`.

use crate::stage::User;

const TABLE: &str = r#"
definition: notes.json
subjects:
  ada: { id: ada, claims: { role: clerk } }
cases:
  - { name: she reads hers, subject: ada, method: read, resource: { owner: ada }, expect: allow }
  - { name: nobody reads, method: read, resource: { owner: ada }, expect: deny }
  - name: she doesn't give it away
    subject: ada
    method: update
    previous: { owner: ada }
    resource: { owner: bob }
    expect: deny
"#;
const NOTES: &str = r#"{ "rules": { "default": "resource.owner == subject.id" } }"#;

#[test]
fn a_table_of_cases_is_decided_as_the_server_would() {
    let user = User::at("http://127.0.0.1:9");
    user.file("notes.json", NOTES);
    user.file("cases.yaml", TABLE);
    let tried = user.run(&["rules", "test", "cases.yaml"]).ok();
    assert_eq!(
        tried.stdout,
        "ok     she reads hers\nok     nobody reads\nok     she doesn't give it away\n"
    );
    tried.says("3 cases, 0 decided otherwise than expected");
    let json = r#"{"cases":[{"name":"x","method":"read","resource":{},"expect":"allow"}]}"#;
    user.file("cases.json", json);
    let tried = user.run(&["rules", "test", "cases.json", "--definition", "notes.json"]);
    let tried = tried.code(1);
    assert_eq!(tried.stdout, "FAILED x: expected allow, decided deny\n");
}

#[test]
fn what_is_wrong_with_a_table_or_its_rules_is_told() {
    let user = User::at("http://127.0.0.1:9");
    user.file("cases.yaml", TABLE);
    user.run(&["rules", "test", "cases.yaml"]).code(5);
    user.file("notes.json", r#"{ "rules": { "read": "nothing == 1" } }"#);
    let tried = user.run(&["rules", "test", "cases.yaml"]).code(6);
    tried.says("/rules/read").says("nothing");
    user.file("cases.yaml", "cases: [{ name: x }]");
    user.run(&["rules", "test", "cases.yaml"]).code(6);
}
