//! What is put in comes out again.

use proptest::prelude::*;

use super::*;

const CREDENTIAL: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
    <NamedCredential xmlns=\"http://soap.sforce.com/2006/04/metadata\">\r\n\
    \x20   <endpoint >https://erp.example.com?a=1&amp;b=2</endpoint >\r\n\
    \x20   <label>Erp</label>\r\n\
    \x20   <principal/>\r\n\
    </NamedCredential>\r\n";

const RECORD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<CustomMetadata xmlns=\"http://soap.sforce.com/2006/04/metadata\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">
    <values><field>Host__c</field><value xsi:type=\"xsd:string\">a.example.com</value></values>
    <values><field>Key__c</field><value xsi:nil=\"true\"/></values>
    <values><field>Mail__c</field><value xsi:type=\"xsd:string\"/></values>
</CustomMetadata>
";

fn overlays(text: &str) -> Overlays {
    Overlays::check("uat", text).unwrap()
}

fn clear(sealed: &Sealed) -> Result<String, String> {
    sealed
        .as_str()
        .strip_prefix("sealed:")
        .map(str::to_owned)
        .ok_or_else(String::new)
}

fn lay(id: &str, path: &str, text: &str, list: &str) -> Result<Laid, OverlayError> {
    let component = id.parse().unwrap();
    let file = File {
        path,
        component: Some(&component),
        bytes: text.as_bytes(),
    };
    apply(&overlays(list), file, &clear)
}

#[test]
fn puts_values_in_place() {
    let check = |id: &str, path: &str, text: &str, list: &str, changes: &[(&str, &str)], missing: &str| {
        let laid = lay(id, path, text, list).unwrap();
        let mut expect = text.to_owned();
        for (from, to) in changes {
            assert!(expect.contains(from), "{from}");
            expect = expect.replace(from, to);
        }
        assert_eq!(String::from_utf8(laid.bytes).unwrap(), expect);
        let reasons: Vec<&str> = laid.missing.iter().map(|missing| missing.reason).collect();
        assert_eq!(reasons.join("; "), missing);
    };
    let named = |list: &str, changes: &[(&str, &str)], missing: &str| {
        check(
            "NamedCredential:Erp",
            "n/Erp.namedCredential-meta.xml",
            CREDENTIAL,
            list,
            changes,
            missing,
        );
    };
    named(
        "[[overlay]]\npath = \"NamedCredential:Erp/endpoint\"\nvalue = \"https://t.example.com?a&b\"\nkind = \"endpoint\"",
        &[(
            "<endpoint >https://erp.example.com?a=1&amp;b=2</endpoint >",
            "<endpoint>https://t.example.com?a&amp;b</endpoint>",
        )],
        "",
    );
    // What stands there already stays as it is written.
    named(
        "[[overlay]]\npath = \"NamedCredential:Erp/endpoint\"\nvalue = \"https://erp.example.com?a=1&b=2\"",
        &[],
        "",
    );
    named(
        "[[overlay]]\npath = \"NamedCredential:Erp/principal\"\nsecret = \"sealed:k1.abc\"",
        &[("<principal/>", "<principal>k1.abc</principal>")],
        "",
    );
    named(
        "[[overlay]]\npath = \"NamedCredential:Other/label\"\nvalue = \"x\"",
        &[],
        "",
    );
    named(
        "[[overlay]]\npath = \"NamedCredential:Erp/url\"\nvalue = \"x\"",
        &[],
        "there is no such element",
    );
    named(
        "[[overlay]]\npattern = \"https://[a-z.]+\"\nfiles = [\"n/*\"]\nvalue = \"https://test.example.com\"",
        &[("https://erp.example.com", "https://test.example.com")],
        "",
    );
    let record = |path: &str, changes: &[(&str, &str)], missing: &str| {
        let list = format!("[[overlay]]\npath = \"CustomMetadata:Setting.A/{path}\"\nvalue = \"<b>\"");
        check(
            "CustomMetadata:Setting.A",
            "c/Setting.A.md-meta.xml",
            RECORD,
            &list,
            changes,
            missing,
        );
    };
    record(
        "values[field=Host__c]/value",
        &[(">a.example.com</value>", ">&lt;b&gt;</value>")],
        "",
    );
    record(
        "values[field=Mail__c]/value",
        &[(
            "<value xsi:type=\"xsd:string\"/>",
            "<value xsi:type=\"xsd:string\">&lt;b&gt;</value>",
        )],
        "",
    );
    record(
        "values[field=Key__c]/value",
        &[],
        "the element says `xsi:nil`; give it a value first",
    );
    record("values[#1]/value", &[(">a.example.com<", ">&lt;b&gt;<")], "");
    record(
        "values",
        &[],
        "there are several such elements; tell by a key which one",
    );
    record(
        "values[field=Host__c]",
        &[],
        "the element holds others; name the one that has the value",
    );
    record(
        "values[field=Host__c]/value/@type",
        &[("xsi:type=\"xsd:string\">a", "xsi:type=\"&lt;b&gt;\">a")],
        "",
    );
    check(
        "ApexClass:Erp",
        "classes/Erp.cls",
        "String a = 'https://erp.example.com'; // https://erp.example.com/x\n",
        "[[overlay]]\npattern = \"https://[a-z.]+\\\\.com\"\nfiles = [\"classes/*.cls\"]\nvalue = \"https://t.example.com\"",
        &[("https://erp.example.com", "https://t.example.com")],
        "",
    );
}

#[test]
fn what_cannot_be_undone_is_refused() {
    let list = "[[overlay]]\npattern = \"a+\"\nfiles = [\"*\"]\nvalue = \"ab\"";
    assert!(Overlays::check("uat", list).is_err());
    let list = "[[overlay]]\npattern = \"[ab]+\"\nfiles = [\"*\"]\nvalue = \"a\"\n[[overlay]]\npattern = \"[bc]+\"\nfiles = [\"*\"]\nvalue = \"b\"";
    let error = lay("ApexClass:A", "A.cls", "b c\n", list).unwrap_err();
    assert!(matches!(error, OverlayError::Ambiguous { .. }), "{error}");
    let component = "ApexClass:A".parse().unwrap();
    let file = File {
        path: "A.cls",
        component: Some(&component),
        bytes: b"\xffb",
    };
    assert!(matches!(
        apply(&overlays(list), file, &clear),
        Err(OverlayError::NotUtf8 { .. })
    ));
    let list = overlays("[[overlay]]\npattern = \"b\"\nfiles = [\"*\"]\nsecret = \"sealed:k\"");
    let file = File { bytes: b"b", ..file };
    let error = apply(&list, file, &|_| Err("the key is missing".to_owned())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the secret for /b/ cannot be opened: the key is missing"
    );
}

#[test]
fn without_a_reference_a_mark_stands_in_the_file() {
    let list = overlays(
        "[[overlay]]\npath = \"NamedCredential:Erp/endpoint\"\nvalue = \"https://t.example.com\"\n\
         [[overlay]]\npattern = \"Erp(<x>|&amp;)?\"\nfiles = [\"*\"]\nvalue = \"Erp\"",
    );
    let component = "NamedCredential:Erp".parse().unwrap();
    let file = File {
        path: "n/Erp.namedCredential-meta.xml",
        component: Some(&component),
        bytes: CREDENTIAL.as_bytes(),
    };
    let stripped = strip(&list, file, None).unwrap();
    assert_eq!(stripped.marked, BTreeSet::from([0, 1]));
    assert_eq!(
        marks(&stripped.bytes),
        ["NamedCredential:Erp/endpoint", "/Erp(<x>|&amp;)?/"]
    );
    // The target's overlays take the places of the marks.
    let marked = File {
        bytes: &stripped.bytes,
        ..file
    };
    let laid = apply(&list, marked, &clear).unwrap();
    assert_eq!(marks(&laid.bytes), [""; 0]);
    assert_eq!(laid.bytes, apply(&list, file, &clear).unwrap().bytes);
    assert!(list.owns(&"NamedCredential:Erp/endpoint".parse().unwrap()));
    assert!(!list.owns(&"NamedCredential:Erp".parse().unwrap()));
    assert!(!list.owns(&"NamedCredential:Erp/label".parse().unwrap()));
    assert_eq!(list.unused(&laid.used).len(), 0);
    assert_eq!(list.unused(&BTreeSet::new()).len(), 2);
}

#[test]
fn files_are_checked() {
    let check = |text: &str, expect: &str| {
        let errors = Overlays::check("uat", text).expect_err(text);
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(shown.join("\n").replace("syncline/overlays/uat.toml line ", ""), expect);
    };
    let one = |rest: &str, expect: &str| check(&format!("[[overlay]]\n{rest}"), expect);
    one(
        "path = \"Flow:A/x\"",
        "1: the overlay of Flow:A/x has no value, or two; write `value` or `secret`",
    );
    one(
        "value = \"x\"",
        "1: an overlay has no place, or two; write `path`, or `pattern` and `files`",
    );
    one(
        "path = \"Flow\"\nvalue = \"x\"",
        "1: `Flow` is not an element path: there is no `:` behind the type; write `Type:FullName/list[key=value]/field`",
    );
    one(
        "path = \"Flow:A\"\nvalue = \"x\"",
        "1: Flow:A is a whole component; name the element that has the value",
    );
    one(
        "path = \"CustomMetadata:A.B/values[field=X]/field\"\nvalue = \"x\"",
        "1: CustomMetadata:A.B/values[field=X]/field is what its item is found by; the value that an item is found by cannot differ between environments",
    );
    one(
        "path = \"Flow:A/x\"\nsecret = \"hunter2\"",
        "3: a secret never stands in a file in clear; write the sealed reference, `sealed:…`",
    );
    one(
        "path = \"Flow:A/x\"\nvalue = \"erp.example.com\"\nkind = \"endpoint\"",
        "1: the value of Flow:A/x is no URL; write it with its scheme, `https://erp.example.com`",
    );
    one(
        "path = \"Flow:A/x\"\nvalue = \"kim\"\nkind = \"email\"",
        "1: the value of Flow:A/x is no e-mail address",
    );
    one(
        "path = \"Flow:A/x\"\nvalue = \"00D1\"\nkind = \"org-id\"",
        "1: the value of Flow:A/x is no id of an org; it has 15 or 18 letters and digits and begins with `00D`",
    );
    one(
        "pattern = \"https://erp\"\nfiles = [\"*\"]\nvalue = \"https://erp-test\"",
        "1: the pattern /https://erp/ does not match the value `https://erp-test`; it has to match the values of all environments as a whole, to find them again",
    );
    one(
        "pattern = \"x*\"\nfiles = [\"*\"]\nvalue = \"x\"",
        "1: the pattern /x*/ matches everywhere; make it longer",
    );
    check(
        "[[overlay]]\npath = \"Flow:A/x\"\nvalue = \"x\"\n[[overlay]]\npath = \"Flow:A/x\"\nvalue = \"y\"",
        "4: there is a second overlay of Flow:A/x; remove one",
    );
}

/// Elements of a record in many ways of writing.
fn element() -> impl Strategy<Value = (String, String)> {
    let value = "[a-z<&>\"' \\]]{0,6}";
    let attribute = prop_oneof![Just(""), Just(" a=\"1\""), Just(" a='>'"), Just("\n  b=\"/\"")];
    let gap = prop_oneof![Just(""), Just(" "), Just("\r\n\t"), Just("<!-- c -->")];
    (value, attribute, prop::bool::ANY, gap, prop::bool::ANY).prop_map(|(value, attribute, space, gap, short)| {
        let space = if space { " " } else { "" };
        let text = match value.is_empty() && short {
            true => format!("<v{attribute}{space}/>{gap}"),
            false => format!("<v{attribute}{space}>{}</v{space}>{gap}", escape(&value, false)),
        };
        (text, value)
    })
}

proptest! {
    #[test]
    fn strip_undoes_apply(
        elements in prop::collection::vec(element(), 1..5),
        value in "[a-z<&>\"' ]{0,6}",
        chosen in prop::collection::vec(prop::bool::ANY, 5),
        words in prop::collection::vec("(erp|erp-test|x|-)", 0..8),
    ) {
        let items: String = elements.iter().enumerate().map(|(n, (text, _))| format!("<i><k>{n}</k>{text}</i>\n")).collect();
        let xml = format!("<CustomMetadata xmlns=\"http://soap.sforce.com/2006/04/metadata\">{items}<t>{}</t></CustomMetadata>", words.join(" "));
        let mut list = String::from("[[overlay]]\npattern = \"\\\\berp(-test)?\\\\b\"\nfiles = [\"*.md-meta.xml\"]\nvalue = \"erp-test\"\n");
        for n in (0..elements.len()).filter(|n| chosen[*n]) {
            list.push_str(&format!("[[overlay]]\npath = \"CustomMetadata:A.B/i[k={n}]/v\"\nvalue = {value:?}\n"));
        }
        let list = overlays(&list);
        let component = "CustomMetadata:A.B".parse().unwrap();
        let file = File { path: "A.B.md-meta.xml", component: Some(&component), bytes: xml.as_bytes() };
        let laid = apply(&list, file, &clear).unwrap();
        prop_assert!(laid.missing.is_empty());
        let laid_file = File { bytes: &laid.bytes, ..file };
        // Taken out again, byte for byte; put in twice, the same; and every value stands in its place.
        let stripped = strip(&list, laid_file, Some(xml.as_bytes())).unwrap();
        prop_assert_eq!(&stripped.bytes, xml.as_bytes());
        prop_assert_eq!(&apply(&list, laid_file, &clear).unwrap().bytes, &laid.bytes);
        let marked = strip(&list, laid_file, None).unwrap();
        let marked = apply(&list, File { bytes: &marked.bytes, ..file }, &clear).unwrap();
        let same = syncline_metadata::xml::digest(Document::parse(&marked.bytes).unwrap().root(), None)
            == syncline_metadata::xml::digest(Document::parse(&laid.bytes).unwrap().root(), None);
        prop_assert!(same, "{}", String::from_utf8_lossy(&marked.bytes));
        let document = Document::parse(&laid.bytes).unwrap();
        for (n, overlay) in list.list.iter().enumerate() {
            let Place::Element(path) = &overlay.place else { continue };
            let Ok(Spot::Element { text, .. }) = locate(&document, &path.steps) else { panic!("{n}") };
            prop_assert_eq!(text, value.as_str());
        }
    }
}
