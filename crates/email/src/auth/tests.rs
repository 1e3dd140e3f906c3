//! The cases in `fixtures/email/auth/spf`, over a DNS that is a table.

use super::{
    dns::{Kind, Missing, Record, Records},
    spf::{self, Query},
};
use futures_util::FutureExt;
use headgate_event::BoxFuture;
use serde::Deserialize;
use std::{collections::BTreeMap, fs, net::IpAddr, path::Path};

/// The files, and how many cases all of them have at least.
const FILES_MIN: usize = 17;
const CASES_MIN: usize = 216;

#[derive(Deserialize)]
struct File {
    names: BTreeMap<String, Vec<Vec<String>>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    case: String,
    clause: String,
    client: IpAddr,
    helo: String,
    sender: String,
    verdict: Vec<String>,
}

/// A DNS that knows what a file says.
struct Table(BTreeMap<String, Vec<Vec<String>>>);

impl Table {
    fn find(&self, name: &str, kind: Kind, depth: usize) -> Result<Vec<Record>, Missing> {
        let name = name.trim_end_matches('.').to_lowercase();
        let listed = self.0.get(&name).ok_or(Missing::None)?;
        let is = |record: &&Vec<String>, wanted: &str| record.first().is_some_and(|k| k == wanted);
        let value = |record: &Vec<String>| record.get(1).cloned().unwrap_or_default();
        let wanted = match kind {
            Kind::Txt => "TXT",
            Kind::A => "A",
            Kind::Aaaa => "AAAA",
            Kind::Mx => "MX",
            Kind::Ptr => "PTR",
        };
        let found: Vec<Record> = listed
            .iter()
            .filter(|record| is(record, wanted))
            .map(|record| match kind {
                Kind::Txt => Record::Txt(value(record).into_bytes()),
                Kind::A | Kind::Aaaa => Record::Address(value(record).parse().expect("an address")),
                Kind::Mx | Kind::Ptr => Record::Name(0, value(record)),
            })
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        if let Some(alias) = listed.iter().find(|record| is(record, "CNAME")).filter(|_| depth < 8)
        {
            return self.find(&value(alias), kind, depth + 1);
        }
        let silent = listed.iter().any(|record| is(&record, "SILENT"));
        Err(if silent { Missing::Unknown } else { Missing::None })
    }
}

impl Records for Table {
    fn lookup<'a>(
        &'a self,
        name: &'a str,
        kind: Kind,
    ) -> BoxFuture<'a, Result<Vec<Record>, Missing>> {
        Box::pin(async move { self.find(name, kind, 0) })
    }
}

#[test]
fn every_case_of_rfc_7208_has_its_verdict() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/email/auth/spf");
    let entries = fs::read_dir(folder).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let (mut files, mut cases, mut wrong) = (0, 0, Vec::new());
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let text = fs::read_to_string(&path).expect("a file");
        let file: File = serde_json::from_str(&text).expect("cases");
        let table = Table(file.names);
        files += 1;
        for case in &file.cases {
            cases += 1;
            let Case { helo, sender, client, .. } = case;
            let query = Query { client: *client, helo, sender, hostname: "receiver.example" };
            let checked = spf::check(&table, &query).now_or_never().expect("a table waits not");
            let found = checked.verdict.name();
            if !case.verdict.iter().any(|verdict| verdict == found) {
                wrong.push(format!(
                    "{} `{}` ({}): expected {:?}, found {found}",
                    path.file_stem().unwrap_or_default().display(),
                    case.case,
                    case.clause,
                    case.verdict
                ));
            }
        }
    }
    assert!(files >= FILES_MIN && cases >= CASES_MIN, "{files} files, {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} differ:\n{}", wrong.len(), wrong.join("\n"));
}
