//! The functions of formulas.

use super::parse::Node;
use super::sql::{Compiler, Gives, Sql, quote};
use crate::dates;

/// Functions of texts and numbers: name, what it takes, what it gives, SQL with `{0}` for the first value.
const SIMPLE: &[(&str, &[Gives], Gives, &str)] = &[
    ("LEN", &[Gives::Text], Gives::Number, "length({0})"),
    (
        "CONTAINS",
        &[Gives::Text, Gives::Text],
        Gives::Boolean,
        "(instr({0}, {1}) > 0)",
    ),
    (
        "BEGINS",
        &[Gives::Text, Gives::Text],
        Gives::Boolean,
        "(substr({0}, 1, length({1})) = {1})",
    ),
    (
        "LEFT",
        &[Gives::Text, Gives::Number],
        Gives::Text,
        "substr({0}, 1, {1})",
    ),
    (
        "RIGHT",
        &[Gives::Text, Gives::Number],
        Gives::Text,
        "substr({0}, max(1, length({0}) - {1} + 1))",
    ),
    (
        "MID",
        &[Gives::Text, Gives::Number, Gives::Number],
        Gives::Text,
        "substr({0}, {1}, {2})",
    ),
    ("UPPER", &[Gives::Text], Gives::Text, "upper({0})"),
    ("LOWER", &[Gives::Text], Gives::Text, "lower({0})"),
    ("TRIM", &[Gives::Text], Gives::Text, "trim({0})"),
    (
        "SUBSTITUTE",
        &[Gives::Text, Gives::Text, Gives::Text],
        Gives::Text,
        "replace({0}, {1}, {2})",
    ),
    ("VALUE", &[Gives::Text], Gives::Number, "CAST({0} AS REAL)"),
    ("TEXT", &[Gives::Text], Gives::Text, "{0}"),
    ("ABS", &[Gives::Number], Gives::Number, "abs({0})"),
    ("FLOOR", &[Gives::Number], Gives::Number, "floor({0})"),
    ("CEILING", &[Gives::Number], Gives::Number, "ceil({0})"),
    (
        "ROUND",
        &[Gives::Number, Gives::Number],
        Gives::Number,
        "round({0}, {1})",
    ),
    ("MOD", &[Gives::Number, Gives::Number], Gives::Number, "mod({0}, {1})"),
    ("MIN", &[Gives::Number, Gives::Number], Gives::Number, "min({0}, {1})"),
    ("MAX", &[Gives::Number, Gives::Number], Gives::Number, "max({0}, {1})"),
    (
        "YEAR",
        &[Gives::Date],
        Gives::Number,
        "CAST(strftime('%Y', {0}) AS INTEGER)",
    ),
    (
        "MONTH",
        &[Gives::Date],
        Gives::Number,
        "CAST(strftime('%m', {0}) AS INTEGER)",
    ),
    (
        "DAY",
        &[Gives::Date],
        Gives::Number,
        "CAST(strftime('%d', {0}) AS INTEGER)",
    ),
    (
        "DATE",
        &[Gives::Number, Gives::Number, Gives::Number],
        Gives::Date,
        "date(printf('%04d-%02d-%02d', {0}, {1}, {2}))",
    ),
    (
        "DATEVALUE",
        &[Gives::Moment],
        Gives::Date,
        "date({0} / 1000, 'unixepoch')",
    ),
    ("NOT", &[Gives::Boolean], Gives::Boolean, "(NOT {0})"),
    ("ISPICKVAL", &[Gives::Text, Gives::Text], Gives::Boolean, "({0} = {1})"),
    (
        "INCLUDES",
        &[Gives::Text, Gives::Text],
        Gives::Boolean,
        "(instr(';' || {0} || ';', ';' || {1} || ';') > 0)",
    ),
];

pub(super) fn call(compiler: &Compiler<'_>, name: &str, arguments: &[Node]) -> Result<Sql, String> {
    let takes = |count: usize| {
        if arguments.len() == count {
            Ok(())
        } else {
            let values = if count == 1 { "value" } else { "values" };
            Err(format!("{name} takes {count} {values}, not {}", arguments.len()))
        }
    };
    let compiled = || {
        arguments
            .iter()
            .map(|node| compiler.compile(node))
            .collect::<Result<Vec<_>, _>>()
    };
    if let Some((_, kinds, gives, sql)) = SIMPLE.iter().find(|(known, ..)| *known == name) {
        takes(kinds.len())?;
        let mut text = (*sql).to_owned();
        for (at, (value, kind)) in compiled()?.iter().zip(*kinds).enumerate() {
            text = text.replace(&format!("{{{at}}}"), &given(value, *kind)?);
        }
        return Ok(Sql::new(*gives, text));
    }
    match name {
        "AND" | "OR" => {
            let parts = compiled()?.iter().map(Sql::boolean).collect::<Result<Vec<_>, _>>()?;
            if parts.is_empty() {
                return Err(format!("{name} takes at least 1 value"));
            }
            Ok(Sql::new(
                Gives::Boolean,
                format!("({})", parts.join(&format!(" {name} "))),
            ))
        }
        "TODAY" => {
            takes(0)?;
            Ok(Sql::new(
                Gives::Date,
                quote(&dates::write_day(dates::day_at(compiler.context.now))),
            ))
        }
        "NOW" => {
            takes(0)?;
            Ok(Sql::new(Gives::Moment, compiler.context.now.to_string()))
        }
        "ISNEW" => {
            takes(0)?;
            Ok(Sql::new(Gives::Boolean, if compiler.context.new { "1" } else { "0" }))
        }
        "ISBLANK" | "ISNULL" => {
            takes(1)?;
            let value = compiler.compile(&arguments[0])?;
            Ok(Sql::new(Gives::Boolean, format!("(COALESCE({}, '') = '')", value.raw)))
        }
        "BLANKVALUE" | "NULLVALUE" => {
            takes(2)?;
            let values = compiled()?;
            Ok(Sql::new(
                values[1].gives,
                format!("COALESCE(NULLIF({}, ''), {})", values[0].raw, values[1].raw),
            ))
        }
        "IF" => {
            takes(3)?;
            let values = compiled()?;
            let gives = [values[1].gives, values[2].gives]
                .into_iter()
                .find(|gives| *gives != Gives::Null)
                .unwrap_or(Gives::Null);
            let sql = format!(
                "(CASE WHEN {} THEN {} ELSE {} END)",
                values[0].boolean()?,
                values[1].raw,
                values[2].raw
            );
            Ok(Sql::new(gives, sql))
        }
        "CASE" => case(&compiled()?),
        "ISCHANGED" => {
            takes(1)?;
            let now = compiler.compile(&arguments[0])?;
            let sql = match compiler.before(&arguments[0])? {
                Some(before) if !compiler.context.new => format!("({} IS NOT {})", now.raw, before.raw),
                _ => "0".to_owned(),
            };
            Ok(Sql::new(Gives::Boolean, sql))
        }
        "PRIORVALUE" => {
            takes(1)?;
            match compiler.before(&arguments[0])? {
                Some(before) if !compiler.context.new => Ok(before),
                _ => compiler.compile(&arguments[0]),
            }
        }
        _ => Err(format!("the function {name} is not known here")),
    }
}

fn given(value: &Sql, kind: Gives) -> Result<String, String> {
    match kind {
        Gives::Number => value.number(),
        Gives::Boolean => value.boolean(),
        Gives::Date => value.date(),
        Gives::Moment => value.moment(),
        Gives::Text | Gives::Null => Ok(value.text()),
    }
}

/// `CASE(value, a, x, b, y, otherwise)`
fn case(values: &[Sql]) -> Result<Sql, String> {
    let [value, rest @ .., otherwise] = values else {
        return Err("CASE takes a value, pairs and what else".to_owned());
    };
    if rest.is_empty() || rest.len() % 2 == 1 {
        return Err("CASE takes a value, pairs and what else".to_owned());
    }
    let whens: String = rest
        .chunks(2)
        .map(|pair| format!(" WHEN {} THEN {}", pair[0].raw, pair[1].raw))
        .collect();
    Ok(Sql::new(
        otherwise.gives,
        format!("(CASE {}{whens} ELSE {} END)", value.raw, otherwise.raw),
    ))
}
