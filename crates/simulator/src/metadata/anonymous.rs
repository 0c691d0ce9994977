//! executeAnonymous: a handful of statements that refreshes need. Other Apex is refused, never taken for done.

use super::cron;
use super::rows::text;
use super::store;
use crate::error::ApiError;
use crate::http::{Call, Reply, escape};
use crate::org::records;
use crate::sandbox::email;
use crate::soap::{Answer, xml};
use roxmltree::Node;
use rusqlite::OptionalExtension;
use rusqlite::types::Value;
use serde_json::{Value as Json, json};
use syncline_metadata::component::ComponentId;

/// Most scheduled jobs of an org.
const MAX_JOBS: i64 = 100;

/// How a script went.
#[derive(Debug, Default)]
struct Run {
    /// Line and text of what does not compile.
    problem: Option<(usize, String)>,
    /// Line and text of what was thrown.
    thrown: Option<(usize, String)>,
    /// Lines of the log.
    log: Vec<String>,
}

impl Run {
    fn json(&self) -> Json {
        let failed = self.problem.as_ref().or(self.thrown.as_ref());
        let line = failed.map_or(-1, |(line, _)| i64::try_from(*line).unwrap_or(-1));
        json!({
            "line": line,
            "column": if failed.is_some() { 1 } else { -1 },
            "compiled": self.problem.is_none(),
            "success": failed.is_none(),
            "compileProblem": self.problem.as_ref().map(|(_, text)| text),
            "exceptionStackTrace": self.thrown.as_ref().map(|(line, _)| format!("AnonymousBlock: line {line}, column 1\nAnonymousBlock: line {line}, column 1")),
            "exceptionMessage": self.thrown.as_ref().map(|(_, text)| text),
        })
    }
}

/// `GET /tooling/executeAnonymous?anonymousBody=…`: 200 whatever becomes of the script.
pub(crate) fn get(call: &Call<'_>) -> Result<Reply, ApiError> {
    let body = call
        .request
        .query("anonymousBody")
        .ok_or_else(|| ApiError::new("MISSING_ARGUMENT", "anonymousBody is missing"))?;
    Ok(Reply::json(&execute(call, body)?.json()))
}

/// executeAnonymous() of the Apex API: the log comes in the header.
pub(crate) fn soap(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let body = xml::either(request, &["String", "apexcode"])
        .or_else(|| request.first_element_child())
        .map(xml::content)
        .unwrap_or_default();
    let run = execute(call, &body)?;
    let log = format!("{}.0 APEX_CODE,DEBUG\n{}", call.version, run.log.join("\n"));
    let mut answer = Answer::from(run.json());
    answer.header = format!("<DebuggingInfo><debugLog>{}</debugLog></DebuggingInfo>", escape(&log));
    Ok(answer)
}

/// Runs a script: all of it, or nothing of it.
fn execute(call: &Call<'_>, body: &str) -> Result<Run, ApiError> {
    let statements = statements(body);
    let mut run = Run::default();
    let mut calls = Vec::new();
    for (line, statement) in &statements {
        match read(statement) {
            Some((name, arguments)) => match check(call, name, &arguments)? {
                None => calls.push((*line, name, arguments)),
                Some(problem) => {
                    run.problem = Some((*line, problem));
                    return Ok(run);
                }
            },
            None => {
                let problem = format!("the simulator does not run this Apex statement: {statement}");
                run.problem = Some((*line, problem));
                return Ok(run);
            }
        }
    }
    call.db.execute_batch("SAVEPOINT script")?;
    for (line, name, arguments) in calls {
        let thrown = match name {
            "system.schedule" => schedule(call, &arguments)?,
            "system.abortjob" => abort(call, &arguments[0])?,
            "messaging.reservesingleemailcapacity" => reserve(call)?,
            _ => {
                run.log
                    .push(format!("USER_DEBUG|[{line}]|DEBUG|{}", arguments.join("")));
                None
            }
        };
        if let Some(thrown) = thrown {
            call.db.execute_batch("ROLLBACK TO script; RELEASE script")?;
            run.log.push(format!("FATAL_ERROR|{thrown}"));
            run.thrown = Some((line, thrown));
            return Ok(run);
        }
    }
    call.db.execute_batch("RELEASE script")?;
    Ok(run)
}

/// What can be called, with how many arguments.
const CALLS: &[(&str, usize)] = &[
    ("messaging.reservesingleemailcapacity", 1),
    ("system.abortjob", 1),
    ("system.debug", 1),
    ("system.schedule", 3),
];

/// Takes a statement apart: the call in lower case and its arguments without quotes. An assignment in front is passed over.
fn read(statement: &str) -> Option<(&'static str, Vec<String>)> {
    let (head, rest) = statement.split_once('(')?;
    let name: String = head
        .rsplit('=')
        .next()?
        .split_whitespace()
        .collect::<String>()
        .to_lowercase();
    let (name, count) = CALLS.iter().find(|(known, _)| *known == name)?;
    let arguments = arguments(rest.trim_end().strip_suffix(')')?);
    (arguments.len() == *count).then_some((*name, arguments))
}

fn arguments(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let (mut quoted, mut depth) = (false, 0_i32);
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            ',' if !quoted && depth == 0 => all.push(String::new()),
            _ => {
                if !quoted {
                    depth += i32::from(c == '(') - i32::from(c == ')');
                }
                if let Some(last) = all.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    all.into_iter().map(|argument| argument.trim().to_owned()).collect()
}

/// Statements with the lines they begin in; comments dropped.
fn statements(body: &str) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    let mut current = String::new();
    let (mut line, mut begun, mut quoted) = (1, 1, false);
    let mut letters = body.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '\'' => {
                quoted = !quoted;
                current.push(c);
            }
            '/' if !quoted && letters.peek() == Some(&'/') => {
                while letters.peek().is_some_and(|c| *c != '\n') {
                    letters.next();
                }
            }
            '/' if !quoted && letters.peek() == Some(&'*') => {
                let mut last = ' ';
                for c in letters.by_ref() {
                    line += usize::from(c == '\n');
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            ';' if !quoted => all.push((begun, std::mem::take(&mut current).trim().to_owned())),
            _ => {
                line += usize::from(c == '\n');
                if current.trim().is_empty() && !c.is_whitespace() {
                    begun = line;
                }
                current.push(c);
            }
        }
    }
    all.push((begun, current.trim().to_owned()));
    all.retain(|(_, statement)| !statement.is_empty());
    all
}

/// `Cls` of `new Cls()`.
fn class_name(argument: &str) -> Option<&str> {
    let name = argument.strip_prefix("new ")?.split('(').next()?.trim();
    (!name.is_empty()).then_some(name)
}

/// Whether a call compiles.
fn check(call: &Call<'_>, name: &str, arguments: &[String]) -> Result<Option<String>, ApiError> {
    if name != "system.schedule" {
        return Ok(None);
    }
    let Some(class) = class_name(&arguments[2]) else {
        return Ok(Some(format!(
            "the simulator schedules only `new Class()`, not {}",
            arguments[2]
        )));
    };
    let known = store::get(call.db, &ComponentId::new("ApexClass", class))?;
    Ok(known.is_none().then(|| format!("Invalid type: {class}")))
}

fn schedule(call: &Call<'_>, arguments: &[String]) -> Result<Option<String>, ApiError> {
    let [name, expression, class] = arguments else {
        return Ok(None);
    };
    let Some(next) = cron::next(expression, call.now) else {
        return Ok(Some(format!(
            "System.StringException: Illegal cron expression: {expression}"
        )));
    };
    let same: bool = call.db.query_row(
        "SELECT EXISTS (SELECT 1 FROM CronTrigger t JOIN CronJobDetail d ON d.Id = t.CronJobDetailId WHERE d.Name = ?1)",
        [name],
        |row| row.get(0),
    )?;
    if same {
        return Ok(Some(format!(
            "System.AsyncException: The Apex job named \"{name}\" is already scheduled for execution."
        )));
    }
    let jobs: i64 = call
        .db
        .query_row("SELECT count(*) FROM CronTrigger", [], |row| row.get(0))?;
    if jobs >= MAX_JOBS {
        return Ok(Some(format!(
            "System.LimitException: You have exceeded the maximum number ({MAX_JOBS}) of Apex scheduled jobs."
        )));
    }
    let insert = |object: &str, values: &[(&str, Value)]| {
        records::insert(call.org, call.db, &*call.object(object)?, values, &call.user, call.now)
    };
    let detail = insert("CronJobDetail", &[("Name", text(name)), ("JobType", text("7"))])?;
    let trigger = insert(
        "CronTrigger",
        &[
            ("CronJobDetailId", text(&detail)),
            ("CronExpression", text(expression)),
            ("State", text("WAITING")),
            ("StartTime", Value::Integer(call.now)),
            ("NextFireTime", Value::Integer(next)),
            ("TimesTriggered", Value::Integer(0)),
            ("TimeZoneSidKey", text("GMT")),
            ("OwnerId", text(&call.user)),
        ],
    )?;
    let class = class_name(class).unwrap_or_default();
    let class_id = store::get(call.db, &ComponentId::new("ApexClass", class))?.map(|class| class.record_id);
    insert(
        "AsyncApexJob",
        &[
            ("JobType", text("ScheduledApex")),
            ("Status", text("Queued")),
            ("ApexClassId", class_id.map_or(Value::Null, Value::Text)),
            ("CronTriggerId", text(&trigger)),
        ],
    )?;
    Ok(None)
}

fn abort(call: &Call<'_>, id: &str) -> Result<Option<String>, ApiError> {
    let id = crate::ids::long(id).unwrap_or_default();
    let detail: Option<String> = call
        .db
        .query_row("SELECT CronJobDetailId FROM CronTrigger WHERE Id = ?1", [&id], |row| {
            row.get(0)
        })
        .optional()?;
    let Some(detail) = detail else {
        return Ok(Some(
            "System.StringException: Invalid job id; must be in either running or queued state".to_owned(),
        ));
    };
    call.db.execute("DELETE FROM CronTrigger WHERE Id = ?1", [&id])?;
    call.db.execute("DELETE FROM CronJobDetail WHERE Id = ?1", [&detail])?;
    call.db.execute(
        "UPDATE AsyncApexJob SET Status = 'Aborted', CompletedDate = ?2 WHERE CronTriggerId = ?1",
        rusqlite::params![id, call.now],
    )?;
    Ok(None)
}

/// Reserving mails fails where the org sends none: the way scripts find out the deliverability.
fn reserve(call: &Call<'_>) -> Result<Option<String>, ApiError> {
    if email::level(call.db)? == email::ALL {
        return Ok(None);
    }
    Ok(Some(
        "System.HandledException: NO_MASS_MAIL_PERMISSION, Single email is not enabled for your organization or profile. \
         Single email must be enabled for you to use this feature."
            .to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_cut() {
        let body = "// first\nSystem.debug('a;b');\n/* x\ny */ Id j = System.schedule('n', '0 0 1 * * ?', new A.B());";
        let found = statements(body);
        assert_eq!(found[0], (2, "System.debug('a;b')".to_owned()));
        assert_eq!(found[1].0, 4);
        let (name, arguments) = read(&found[1].1).expect("a call");
        assert_eq!(name, "system.schedule");
        assert_eq!(arguments, ["n", "0 0 1 * * ?", "new A.B()"]);
        assert_eq!(class_name("new A.B()"), Some("A.B"));
        assert!(read("delete [SELECT Id FROM Account]").is_none());
    }
}
