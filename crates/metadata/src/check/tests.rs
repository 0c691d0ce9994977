//! Each problem planted once, results that are right, and random damage to right results.

use proptest::prelude::*;

use super::*;

/// `None` for `""`: the file does not exist.
fn run(base: &str, ours: &str, theirs: &str, result: &str, open: &[&str]) -> Result<(), Violation> {
    let some = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
    let [b, o, t] = [base, ours, theirs].map(some);
    let open: Vec<ElementPath> = open.iter().map(|path| path.parse().expect(path)).collect();
    check(
        &ComponentId::new("X", "x"),
        b.as_deref(),
        o.as_deref(),
        t.as_deref(),
        result,
        &open,
    )
}

fn fits(base: &str, ours: &str, theirs: &str, result: &str, open: &[&str]) {
    assert_eq!(
        run(base, ours, theirs, result, open),
        Ok(()),
        "{base}\n{ours}\n{theirs}\n{result}"
    );
}

fn fails(base: &str, ours: &str, theirs: &str, result: &str, expect: &str) {
    let found = run(base, ours, theirs, result, &[]).expect_err(expect);
    assert_eq!(format!("{} {:?}", found.path, found.problem), expect);
    let conflict = found.path.to_string();
    if !matches!(found.problem, Problem::Malformed(..)) {
        assert_eq!(
            run(base, ours, theirs, result, &[&conflict]),
            Ok(()),
            "open at {conflict}"
        );
    }
}

fn doc(root: &str, items: &str) -> String {
    let items = items
        .split_inclusive(' ')
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n    ");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    {items}\n</{root}>\n"
    )
}

/// `A=1 B=0` becomes a profile with two field permissions.
fn profile(fields: &str) -> String {
    let item = |entry: &str| {
        let (name, value) = entry.split_once('=').unwrap();
        format!("<fieldPermissions><editable>{value}</editable><field>{name}</field></fieldPermissions> ")
    };
    doc("Profile", &fields.split_whitespace().map(item).collect::<String>())
}

/// Values of a picklist, whose order people chose.
fn values(names: &str) -> String {
    let item = |name: &str| format!("<customValue><fullName>{name}</fullName></customValue> ");
    doc(
        "GlobalValueSet",
        &names.split_whitespace().map(item).collect::<String>(),
    )
}

fn entries(names: &str) -> String {
    let item = |name: &str| format!("<ruleEntry><assignedTo>{name}</assignedTo></ruleEntry> ");
    doc(
        "AssignmentRules",
        &format!(
            "<assignmentRule><fullName>R</fullName>{}</assignmentRule>",
            names.split_whitespace().map(item).collect::<String>().replace(' ', "")
        ),
    )
}

fn view(formula: &str, fields: &str) -> String {
    let filters: String = fields
        .split_whitespace()
        .map(|f| format!("<filters><field>{f}</field></filters> "))
        .collect();
    doc(
        "ListView",
        &format!(
            "<booleanFilter>{}</booleanFilter> {filters}",
            formula.replace(' ', "&#32;")
        ),
    )
}

fn layout(sections: &str) -> String {
    // `Label:A,B|C` is a section with two columns.
    let section = |text: &str| {
        let (label, columns) = text.split_once(':').unwrap();
        let columns: String = columns
            .split('|')
            .map(|column| {
                let items: String = column
                    .split(',')
                    .filter(|f| !f.is_empty())
                    .map(|f| {
                        let (field, behavior) = f.split_once('=').unwrap_or((f, "Edit"));
                        format!("<layoutItems><behavior>{behavior}</behavior><field>{field}</field></layoutItems>")
                    })
                    .collect();
                format!("<layoutColumns>{items}</layoutColumns>")
            })
            .collect();
        format!("<layoutSections>{columns}<label>{label}</label></layoutSections> ")
    };
    doc("Layout", &sections.split_whitespace().map(section).collect::<String>())
}

#[test]
fn right_results_pass() {
    let p = profile;
    fits(&p("A=0 B=0"), &p("A=1 B=0"), &p("A=0 B=1"), &p("A=1 B=1"), &[]);
    fits(&p("A=0 B=0"), &p("B=0"), &p("A=0 B=0 C=1"), &p("B=0 C=1"), &[]);
    fits(
        &p("A=0"),
        &p("A=1"),
        &p("A=2"),
        &p("A=1"),
        &["X:x/fieldPermissions[field=A]/editable"],
    );
    fits(
        &p("A=0 B=0"),
        &p("A=1 B=0"),
        &p("B=1"),
        &p("A=1 B=1"),
        &["X:x/fieldPermissions[field=A]"],
    );
    fits("", &p("A=0"), &p("B=0"), &p("A=0 B=0"), &[]);
    fits("", "", &p("B=0"), &p("B=0"), &[]);
    fits(&p("A=0"), &p("A=1"), "", &p("A=1"), &["X:x"]);
    // Repeated keys: each occurrence is accounted for.
    fits(&p("A=0 A=1"), &p("A=0 A=1 C=0"), &p("A=0 A=2"), &p("A=0 A=2 C=0"), &[]);
    fits(&p("A=0 A=1"), &p("A=0"), &p("A=0 A=1 B=0"), &p("A=0 B=0"), &[]);

    let v = values;
    fits(&v("A B C"), &v("X A B C"), &v("A B C Y"), &v("X A B C Y"), &[]);
    fits(&v("A B C"), &v("C A B"), &v("A B C Y"), &v("C A B Y"), &[]);
    fits(&v("A B C"), &v("A X B C"), &v("B C A"), &v("B C A X"), &[]);
    fits(&v("A B"), &v("A X B"), &v("A Y B"), &v("A X Y B"), &[]);
    fits(&v("A B C"), &v("B A C"), &v("A C B"), &v("B A C"), &["X:x/customValue"]);

    fits(
        &entries("A B C"),
        &entries("X A B C"),
        &entries("A B C Y"),
        &entries("X A B C Y"),
        &[],
    );
    fits(
        &entries("A B"),
        &entries("A X B"),
        &entries("A Y B"),
        &entries("A X B"),
        &["X:x/assignmentRule[fullName=R]/ruleEntry"],
    );

    let w = view;
    fits(
        &w("1", "A"),
        &w("1 AND 2", "A B"),
        &w("1", "A"),
        &w("1 AND 2", "A B"),
        &[],
    );
    fits(
        &w("1", "A"),
        &w("1 AND 2", "A B"),
        &w("1 OR 2", "A C"),
        &w("1 AND 2", "A B"),
        &["X:x/filters"],
    );
    fits(
        &w("and", "A"),
        &w("and", "A B"),
        &w("and", "A C"),
        &w("and", "A B C"),
        &[],
    );

    let l = layout;
    fits(
        &l("S:A|B T:C|"),
        &l("S:A,X|B T:C|"),
        &l("S:A|B T:C|D"),
        &l("S:A,X|B T:C|D"),
        &[],
    );
    fits(
        &l("S:A|B"),
        &l("S:A,X|B"),
        &l("S:A|B=Readonly"),
        &l("S:A,X|B=Readonly"),
        &[],
    );
    fits(&l("S:A,B|C"), &l("S:A|B,C"), &l("S:A,B|C,D"), &l("S:A|B,C,D"), &[]);
}

#[test]
fn formatting_is_no_difference() {
    let base = "<Profile><description>a &amp; b</description><custom></custom><!-- c --></Profile>";
    let ours =
        "<Profile>\r\n  <!-- c -->\r\n  <description><![CDATA[a & b]]></description>\r\n  <custom/>\r\n</Profile>";
    fits(
        base,
        ours,
        &base.replace("a &", "z &"),
        &ours.replace("a &", "z &"),
        &[],
    );
    fits(base, base, ours, base, &[]);
    fits(base, base, ours, ours, &[]);
    fails(base, ours, base, base, "X:x Rewritten");
    fails(
        base,
        ours,
        &base.replace("<custom>", "<custom>true"),
        &base.replace("<custom>", "<custom>true"),
        "X:x/description Rewritten",
    );
}

#[test]
fn wrong_results_are_found() {
    let p = profile;
    let b = p("A=0 B=0");
    let t = p("A=0 B=1");
    fails(
        &b,
        &p("A=1 B=0"),
        &t,
        &p("A=1 B=0"),
        "X:x/fieldPermissions[field=B]/editable Lost(Theirs)",
    );
    fails(
        &b,
        &p("A=1 B=0"),
        &t,
        &t,
        "X:x/fieldPermissions[field=A]/editable Lost(Ours)",
    );
    fails(
        &b,
        &p("A=0 B=0 C=1"),
        &t,
        &t,
        "X:x/fieldPermissions[field=C] Lost(Ours)",
    );
    fails(
        &b,
        &p("B=0"),
        &t,
        &p("A=0 B=1"),
        "X:x/fieldPermissions[field=A] Resurrected",
    );
    fails(
        &b,
        &p("B=0"),
        &p("B=0"),
        &p("A=0 B=0"),
        "X:x/fieldPermissions[field=A] Resurrected",
    );
    fails(&b, &t, &t, &b, "X:x/fieldPermissions[field=B]/editable Lost(Both)");
    fails(&b, &b, &t, &p("A=0 B=1 B=1"), "X:x/fieldPermissions[field=B] Doubled");
    fails(&b, &b, &t, &p("A=0 A=0 B=1"), "X:x/fieldPermissions[field=A] Doubled");
    fails(
        &b,
        &b,
        &t,
        &p("A=5 B=1"),
        "X:x/fieldPermissions[field=A]/editable ChangedByNobody",
    );
    fails(
        &b,
        &p("A=0 B=2"),
        &t,
        &p("A=0 B=2"),
        "X:x/fieldPermissions[field=B]/editable Lost(Theirs)",
    );
    fails(&b, &b, &t, &p("A=0 B=1 Z=0"), "X:x/fieldPermissions[field=Z] Invented");
    fails(
        &b,
        &p("B=0"),
        &p("A=1 B=0"),
        &p("B=0"),
        "X:x/fieldPermissions[field=A] Lost(Theirs)",
    );
    fails(
        &b,
        &b,
        &t,
        &t.replace("<field>A", "<field >A"),
        "X:x/fieldPermissions[field=A] Rewritten",
    );
    fails(
        &p("A=0 A=1"),
        &p("A=0 A=1"),
        &p("A=0 A=1 C=0"),
        &p("A=0 C=0"),
        "X:x/fieldPermissions[field=A] Lost(Both)",
    );

    let comment = b.replace("</Profile>", "<!-- kept --></Profile>");
    fails(&b, &comment, &t, &t, "X:x/%23comment Lost(Ours)");

    let v = values;
    fails(
        &v("A B C"),
        &v("X A B C"),
        &v("A B C"),
        &v("A B C X"),
        "X:x/customValue Reordered",
    );
    fails(
        &v("A B C"),
        &v("C A B"),
        &v("A B C Y"),
        &v("A B C Y"),
        "X:x/customValue Reordered",
    );
    fails(
        &v("A B C"),
        &v("X A B C"),
        &v("A B C Y"),
        &v("Y A B C X"),
        "X:x/customValue Reordered",
    );
    fails(&v("A B"), &v("B A"), &v("B A"), &v("A B"), "X:x/customValue Reordered");

    fails(
        &entries("A B"),
        &entries("A X B"),
        &entries("A Y B"),
        &entries("A X Y B"),
        "X:x/assignmentRule[fullName=R]/ruleEntry OrderGuessed",
    );

    let w = view;
    fails(
        &w("1", "A"),
        &w("1 AND 2", "A B"),
        &w("1 OR 2", "A C"),
        &w("1 AND 2", "A B C"),
        "X:x/filters ChangedByNobody",
    );
    fails(
        &w("1 AND 2", "A B"),
        &w("1 AND 2", "A B"),
        &w("1 OR 2", "A B"),
        &w("1 OR 2", "B A"),
        "X:x/filters ChangedByNobody",
    );

    let l = layout;
    fails(
        &l("S:A|B"),
        &l("S:A,X|B"),
        &l("S:A|B=Readonly"),
        &l("S:A|B=Readonly"),
        "X:x/layoutSections[#1]/layoutColumns[#1]/layoutItems[field=X,customLink=,page=,canvas=,component=,scontrol=,reportChartComponent=,analyticsCloudComponent=] Lost(Ours)",
    );
    let found = run(
        &l("S:A|B"),
        &l("S:A,X|B"),
        &l("S:A,Y|B=Readonly"),
        &l("S:A,Y,Z|B=Readonly"),
        &[],
    );
    assert_eq!(found.map_err(|v| v.problem), Err(Problem::Lost(Side::Ours)));
}

#[test]
fn attributes_and_unknown_types() {
    let bundle = |targets: &str, label: &str| {
        format!(
            "<LightningComponentBundle><targetConfigs><targetConfig targets=\"{targets}\"><property label=\"{label}\" name=\"p\"/></targetConfig></targetConfigs></LightningComponentBundle>"
        )
    };
    let base = bundle("home", "P");
    fits(&base, &base, &bundle("home", "Q"), &bundle("home", "Q"), &[]);
    fails(
        &base,
        &base,
        &bundle("home", "Q"),
        &base,
        "X:x/targetConfigs/targetConfig[@targets=home]/property[@name=p]/@label Lost(Theirs)",
    );
    fits(
        "<No><a>1</a></No>",
        "<No><a>2</a></No>",
        "<No><a>1</a></No>",
        "<No><a>2</a></No>",
        &[],
    );
    fails(
        "<No><a>1</a><b/></No>",
        "<No><a>2</a><b/></No>",
        "<No><a>1</a></No>",
        "<No><a>2</a></No>",
        "X:x ChangedByNobody",
    );
}

#[test]
fn names_used_once() {
    let flow = |names: &str| {
        let items = names.split_whitespace().map(|name| {
            let (kind, name) = name.split_once('=').unwrap();
            format!("<{kind}><name>{name}</name></{kind}> ")
        });
        doc("Flow", &items.collect::<String>())
    };
    fails(
        &flow("loops=A"),
        &flow("loops=A assignments=B"),
        &flow("loops=A screens=B"),
        &flow("loops=A assignments=B screens=B"),
        "X:x/assignments[=B] Doubled",
    );
}

#[test]
fn unreadable() {
    let good = "<Profile/>";
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    for (bad, why) in [
        ("", "no element"),
        ("<a>", "`<a>` is not closed"),
        ("<a></b>", "`</b>` closes nothing"),
        ("<a/><b/>", "a second root element `b`"),
        ("<a><!-- </a>", "no `-->` behind byte 3"),
        ("<!DOCTYPE a><a/>", "a document type declaration"),
        (deep.as_str(), "elements are nested deeper than 200"),
    ] {
        let found = run(good, good, good, bad, &[]).expect_err(bad);
        assert_eq!(found.problem, Problem::Malformed("result", why.to_owned()));
    }
    assert!(run(good, good, good, "<Profile a=1/>", &[]).is_err());
}

#[test]
fn lines() {
    let run = |b: &str, o: &str, t: &str, r: &str| {
        let text = |s: &str| s.split(' ').map(|line| format!("{line}\n")).collect::<String>();
        check_text(&ComponentId::new("X", "x"), &text(b), &text(o), &text(t), &text(r), &[])
            .map_err(|v| format!("{} {:?}", v.path, v.problem))
    };
    let err = |text: &str| Err(text.to_owned());
    assert_eq!(run("a b c", "a x b c", "a b c y", "a x b c y"), Ok(()));
    assert_eq!(run("a b c", "b c a", "a b c y", "b c y a"), Ok(()));
    assert_eq!(
        run("a b c", "a x b c", "a b c y", "a b c y"),
        err("X:x/line[=x] Lost(Ours)")
    );
    assert_eq!(
        run("a b c", "a x b c", "a b c y", "a x b c"),
        err("X:x/line[=y] Lost(Theirs)")
    );
    assert_eq!(
        run("a b c", "a c", "a b c y", "a b c y"),
        err("X:x/line[=b] Resurrected")
    );
    assert_eq!(
        run("a b c", "a x c", "a b c y", "a x x c y"),
        err("X:x/line[=x] Doubled")
    );
    assert_eq!(
        run("a b c", "a x c", "a b c y", "a x c y z"),
        err("X:x/line[=z] Invented")
    );
}

/// Right merges whose result has many elements: `(base, ours, theirs, result)`.
fn samples() -> Vec<[String; 4]> {
    vec![
        [
            profile("A=0 B=0 C=0"),
            profile("A=1 B=0 C=0 D=1"),
            profile("A=0 C=1 E=0"),
            profile("A=1 C=1 D=1 E=0"),
        ],
        [
            values("A B C"),
            values("X A B C"),
            values("A C B Y"),
            values("X A C B Y"),
        ],
        [
            entries("A B C"),
            entries("X A B C"),
            entries("A B C Y"),
            entries("X A B C Y"),
        ],
        [
            view("1", "A"),
            view("1 AND 2", "A B"),
            view("1", "A"),
            view("1 AND 2", "A B"),
        ],
        [
            layout("S:A|B T:C|"),
            layout("S:A,X|B T:C|"),
            layout("S:A|B=Readonly T:C|D"),
            layout("S:A,X|B=Readonly T:C|D"),
        ],
        [
            profile("A=0 A=1"),
            profile("A=0 A=1 C=0"),
            profile("A=0 A=2"),
            profile("A=0 A=2 C=0"),
        ],
    ]
}

/// Damages one element of `result`: deletes, doubles or alters it, or swaps it with its successor
/// in a list whose order counts. `None` where that is not possible.
fn damage(result: &str, at: usize, how: u8) -> Option<String> {
    let document = roxmltree::Document::parse(result).unwrap();
    let elements: Vec<_> = document
        .descendants()
        .filter(roxmltree::Node::is_element)
        .skip(1)
        .collect();
    let element = elements[at % elements.len()];
    let range = element.range();
    let (before, text, after) = (&result[..range.start], &result[range.clone()], &result[range.end..]);
    match how {
        0 => Some(format!("{before}{after}")),
        1 => Some(format!("{before}{text}{text}{after}")),
        2 if element.first_element_child().is_none() => {
            let name = element.tag_name().name();
            let inner = element.text().unwrap_or_default();
            Some(format!("{before}<{name}>{inner}9</{name}>{after}"))
        }
        3 => {
            let next = element.next_sibling_element()?;
            let ordered = [
                "customValue",
                "ruleEntry",
                "filters",
                "layoutSections",
                "layoutColumns",
                "layoutItems",
            ];
            let name = element.tag_name().name();
            if next.tag_name().name() != name || !ordered.contains(&name) || result[next.range()] == *text {
                return None;
            }
            let middle = &result[range.end..next.range().start];
            Some(format!(
                "{before}{}{middle}{text}{}",
                &result[next.range()],
                &result[next.range().end..]
            ))
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn damage_is_found(which in 0..6usize, at in 0..60usize, how in 0..4u8) {
        let [b, o, t, r] = &samples()[which];
        prop_assert_eq!(run(b, o, t, r, &[]), Ok(()));
        if let Some(damaged) = damage(r, at, how) {
            prop_assert!(run(b, o, t, &damaged, &[]).is_err(), "{}", damaged);
        }
    }
}
