//! SOSL.

use crate::org::{Asked, text};

#[test]
fn words_in_fields_of_objects() {
    let asked = Asked::new();
    asked.insert("Account", &[("Name", text("Acme Tools"))]);
    asked.insert("Account", &[("Name", text("Other"))]);
    asked.insert(
        "Contact",
        &[
            ("LastName", text("Ada")),
            ("Name", text("Ada")),
            ("Email", text("ada@acme.example")),
        ],
    );
    let check = |sosl: &str, expected: &str| {
        let (status, body) = asked.get("search", &[("q", sosl)], &[]);
        assert_eq!(status, 200, "{sosl}: {body}");
        let types: Vec<String> = body["searchRecords"]
            .as_array()
            .expect("records")
            .iter()
            .map(|record| {
                let values: Vec<String> = record
                    .as_object()
                    .expect("record")
                    .iter()
                    .filter(|(key, _)| *key != "Id" && *key != "attributes")
                    .map(|(_, value)| value.as_str().unwrap_or_default().to_owned())
                    .collect();
                format!(
                    "{} {}",
                    record["attributes"]["type"].as_str().unwrap_or_default(),
                    values.join(",")
                )
            })
            .collect();
        assert_eq!(types.join(" | "), expected, "{sosl}");
    };
    check(
        "FIND {acme} IN ALL FIELDS RETURNING Account(Id, Name), Contact",
        "Account Acme Tools | Contact ",
    );
    check(
        "find {acme} in name fields returning account(name), contact(name)",
        "Account Acme Tools",
    );
    check(
        "FIND {acme} IN EMAIL FIELDS RETURNING Account, Contact(Name)",
        "Contact Ada",
    );
    check("FIND {ac*} RETURNING Account(Name WHERE Name LIKE '%z%' LIMIT 3)", "");
    check("FIND {tools AND acme} RETURNING Account(Name)", "Account Acme Tools");
    check("FIND {\"tools acme\"} RETURNING Account(Name)", "");
    check(
        "FIND {\"acme tools\" OR other} RETURNING Account(Name ORDER BY Name DESC)",
        "Account Other | Account Acme Tools",
    );
    check(
        "FIND {acme* OR other} RETURNING Account(Name) LIMIT 1",
        "Account Acme Tools",
    );
    check("FIND {acme NOT tools} RETURNING Account(Name)", "");
    check("FIND {ada}", "Contact ");
    for (sosl, code) in [
        ("FIND {a}", "MALFORMED_SEARCH"),
        ("FIND acme", "MALFORMED_SEARCH"),
        ("FIND {acme} RETURNING", "MALFORMED_SEARCH"),
        ("FIND {acme OR}", "MALFORMED_SEARCH"),
        ("FIND {acme} RETURNING Nothing(Id)", "INVALID_TYPE"),
        ("FIND {acme} RETURNING Account(Nothing)", "INVALID_FIELD"),
    ] {
        assert!(asked.refusal("search", sosl).starts_with(code), "{sosl}");
    }
    let (status, body) = asked.get("parameterizedSearch", &[("q", "acme")], &[]);
    assert_eq!(
        (status, body[0]["errorCode"].as_str()),
        (400, Some("FUNCTIONALITY_NOT_ENABLED"))
    );
}
