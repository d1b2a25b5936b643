//! `status`: how the server is, for people and as JSON.

use serde_json::json;

use super::{Cx, Flow, Outcome};

#[expect(clippy::unnecessary_wraps, reason = "the signature is that of all commands")]
pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let report = cx.server.report();
    if cx.args().has('j') {
        cx.print(report.to_string());
        return Ok(Flow::Next);
    }
    for line in as_text(&report) {
        cx.print(line);
    }
    Ok(Flow::Next)
}

/// The report as lines a person reads.
fn as_text(report: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut lines = vec![
        format!("server    pid {}, version {}", report["pid"], text(&report["version"])),
        format!("socket    {}", text(&report["socket"])),
        format!("state     {}", text(&report["state_dir"])),
        format!(
            "holds     {} sessions, {} windows, {} panes; {} clients attached",
            report["sessions"],
            report["windows"],
            report["panes"].as_array().map_or(0, Vec::len),
            report["clients"],
        ),
    ];
    lines.push(match report["durable"] == json!(true) {
        true => "durable   yes".to_owned(),
        false => format!("durable   NO: {}", text(&report["degraded"])),
    });
    let output = &report["output"];
    let millis = |what: &str| output[what].as_u64().unwrap_or(0).div_ceil(1000);
    if output["sync_pieces"].as_u64() > Some(0) {
        let (half, most) = (millis("sync_p50_us"), millis("sync_p99_us"));
        lines.push(format!("output    on the disk within {half} ms, 99 of 100 within {most} ms"));
    }
    let recovery = &report["recovery"];
    lines.push(format!("recovery  {}", text(&recovery["summary"])));
    for problem in recovery["problems"].as_array().into_iter().flatten() {
        lines.push(format!("          {}", text(problem)));
    }
    let scopes = &report["scopes"];
    lines.push(format!(
        "scopes    {} of {} keepers in one of their own{}",
        scopes["in_own_scope"],
        scopes["keepers"],
        scopes["why"].as_str().map(|why| format!(": {why}")).unwrap_or_default(),
    ));
    for note in report["notes"].as_array().into_iter().flatten() {
        lines.push(format!("note      {}", text(note)));
    }
    for pane in report["panes"].as_array().into_iter().flatten() {
        let processes: Vec<_> = [("program", &pane["pid"]), ("keeper", &pane["keeper_pid"])]
            .into_iter()
            .filter_map(|(what, pid)| Some(format!("{what} {}", pid.as_u64()?)))
            .collect();
        let processes = match processes.is_empty() {
            true => String::new(),
            false => format!(" ({})", processes.join(", ")),
        };
        let why = pane["why"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
        let (id, state) = (text(&pane["id"]), text(&pane["state"]));
        lines.push(format!("pane      {id} {state}{processes}{why}"));
        lines.extend(pane["hint"].as_str().map(|hint| format!("          {hint}")));
    }
    lines
}
