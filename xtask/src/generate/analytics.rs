//! Report types, reports, dashboards and their folders.

use super::org::{FieldKind, Object, Org, sentence};
use super::repository::{Content, Place, Repository};
use super::words::QUALIFIERS;
use super::xml::Element;

/// Adds reports and what is around them.
pub(super) fn add(org: &Org, out: &mut Repository) {
    let custom: Vec<&Object> = org.custom().map(|(_, object)| object).collect();
    for number in 0..org.counts.report_types {
        let object = custom[number % custom.len()];
        let name = format!(
            "{}_Overview_{number:03}",
            object.stem().chars().take(40).collect::<String>()
        );
        out.xml(
            "ReportType",
            &name,
            "reportTypes",
            "reportType",
            report_type(org, object, &name),
        );
    }
    for number in 0..org.counts.report_folders {
        for (kind, folder, suffix) in [
            ("ReportFolder", "reports", "reportFolder"),
            ("DashboardFolder", "dashboards", "dashboardFolder"),
        ] {
            let name = folder_name(number);
            let root = Element::new(kind)
                .leaf("accessType", "Public")
                .leaf("name", name.replace('_', " "))
                .leaf("publicFolderAccess", "ReadOnly");
            let place = Place::Split {
                source: format!("{folder}/{name}.{suffix}-meta.xml"),
                mdapi: format!("{folder}/{name}-meta.xml"),
            };
            out.add((kind, &name), place, Content::Xml(root));
        }
    }
    for number in 0..org.counts.reports {
        let root = report(org, custom[number % custom.len()], number);
        out.xml("Report", &report_name(org, number), "reports", "report", root);
    }
    for number in 0..org.counts.dashboards {
        let name = format!(
            "{}/Overview_{number:03}",
            folder_name(number % org.counts.report_folders)
        );
        out.xml("Dashboard", &name, "dashboards", "dashboard", dashboard(org, number));
    }
}

fn folder_name(number: usize) -> String {
    format!("{}_Figures_{number:02}", QUALIFIERS[number * 11 % QUALIFIERS.len()])
}

fn report_name(org: &Org, number: usize) -> String {
    format!("{}/Report_{number:04}", folder_name(number % org.counts.report_folders))
}

fn report_type(org: &Org, object: &Object, name: &str) -> Element {
    let mut random = org.random(name);
    let columns = object.fields.iter().filter(|_| random.chance(60)).map(|field| {
        Element::new("columns")
            .leaf("checkedByDefault", false)
            .leaf("field", &field.name)
            .leaf("table", &object.name)
    });
    let columns: Vec<Element> = columns.collect();
    Element::new("ReportType")
        .leaf("baseObject", &object.name)
        .leaf("category", "other")
        .leaf("deployed", true)
        .leaf("description", sentence(&mut random))
        .leaf("label", name.replace('_', " "))
        .child(
            Element::new("sections")
                .all(columns)
                .leaf("masterLabel", &object.plural),
        )
}

fn report(org: &Org, object: &Object, number: usize) -> Element {
    let mut random = org.random(&format!("report {number}"));
    let shown = random.sample(object.fields.len(), 8);
    let columns = shown
        .into_iter()
        .map(|index| Element::new("columns").leaf("field", format!("{}.{}", object.name, object.fields[index].name)));
    let filter = object
        .fields_where(|kind| *kind == FieldKind::Checkbox)
        .next()
        .map(|field| {
            Element::new("criteriaItems")
                .leaf("column", format!("{}.{}", object.name, field.name))
                .leaf("columnToColumn", false)
                .leaf("isUnlocked", true)
                .leaf("operator", "equals")
                .leaf("value", 1)
        });
    Element::new("Report")
        .child(Element::new("columns").leaf("field", "CUST_NAME"))
        .all(columns)
        .leaf("description", sentence(&mut random))
        .child(Element::new("filter").all(filter).leaf("language", "en_US"))
        .leaf("format", "Tabular")
        .leaf("name", format!("Report {number:04}"))
        .child(Element::new("params").leaf("name", "co").leaf("value", 1))
        .leaf("reportType", format!("CustomEntity${}", object.name))
        .leaf("scope", "organization")
        .leaf("showDetails", true)
        .leaf("showGrandTotal", true)
        .leaf("showSubTotals", true)
        .child(
            Element::new("timeFrameFilter")
                .leaf("dateColumn", "CUST_CREATED_DATE")
                .leaf("interval", "INTERVAL_CUSTOM"),
        )
}

fn dashboard(org: &Org, number: usize) -> Element {
    let grid = (0..3).map(|place| {
        let component = Element::new("dashboardComponent")
            .leaf("autoselectColumnsFromReport", true)
            .leaf("componentType", "Metric")
            .leaf("displayUnits", "Auto")
            .leaf("header", format!("Figure {place}"))
            .leaf("indicatorHighColor", "#54C254")
            .leaf("indicatorLowColor", "#C25454")
            .leaf("indicatorMiddleColor", "#C2C254")
            .leaf("report", report_name(org, (number * 3 + place) % org.counts.reports));
        Element::new("dashboardGridComponents")
            .leaf("colSpan", 4)
            .leaf("columnIndex", place * 4)
            .child(component)
            .leaf("rowIndex", 0)
            .leaf("rowSpan", 4)
    });
    Element::new("Dashboard")
        .leaf("backgroundEndColor", "#FFFFFF")
        .leaf("backgroundFadeDirection", "Diagonal")
        .leaf("backgroundStartColor", "#FFFFFF")
        .leaf("chartTheme", "light")
        .leaf("colorPalette", "unity")
        .child(
            Element::new("dashboardGridLayout")
                .all(grid)
                .leaf("numberOfColumns", 12)
                .leaf("rowHeight", 36),
        )
        .leaf("dashboardType", "LoggedInUser")
        .leaf("isGridLayout", true)
        .leaf("textColor", "#000000")
        .leaf("title", format!("Overview {number:03}"))
        .leaf("titleColor", "#000000")
        .leaf("titleSize", 12)
}
