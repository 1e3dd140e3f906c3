//! One draft of each type, as its source makes it.

use bytes::Bytes;
use headgate_event::{
    BodyEncoding, Channel, ChannelType, Correlation, Covers, DataText, Dedupe, Draft, Event,
    EventId, EventType, StoredEvent, Timestamp, Verdict, Verification,
    data::{AppData, Attachment, Auth, AuthResult, AutoFlags, CronData, CronDst, CronTrigger},
    data::{EmailData, Envelope, MailHeader, SlackData, WebhookParts},
    prompt::Prompt,
};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

/// The body of the webhook: a key twice, more digits than an `f64` has, an order of its own.
pub(crate) const BODY: &str =
    r#"{"z":1,"a":12345678901234567890.10,"a":"\u00e9","nested":{"b":[1E5]}}"#;

pub(crate) fn received_at() -> Timestamp {
    "2026-11-21T01:02:03.456Z".parse().expect("a time")
}

pub(crate) fn id() -> EventId {
    "01KAJ3V3W2N9E6W0V8R3M5T7QZ".parse().expect("an id")
}

/// The event of a draft, as the queue gives it back.
pub(crate) fn stored(draft: &Draft) -> Event {
    let bytes = StoredEvent::encode(draft);
    StoredEvent::decode(id(), &bytes, &draft.raw).expect("what was encoded decodes")
}

pub(crate) fn all() -> Vec<Draft> {
    vec![webhook(), email(), slack(), cron(), app()]
}

fn draft(kind: ChannelType, event_type: EventType, data: DataText) -> Draft {
    let id = kind.to_string();
    Draft {
        identity: None,
        event_type,
        created_at: received_at(),
        channel: Arc::new(Channel::new(&id, "A label", kind).expect("fits")),
        provider: None,
        provider_event: None,
        verification: Verification::none(),
        dedupe: None,
        thread_key: None,
        correlation: Correlation::default(),
        data,
        metadata: BTreeMap::new(),
        prompt: Prompt { text: "what happened".into(), version: 1 },
        raw: Bytes::new(),
    }
}

pub(crate) fn webhook() -> Draft {
    let headers = BTreeMap::from([
        ("content-type", Cow::from("application/json")),
        ("stripe-signature", Cow::from("[redacted]")),
    ]);
    let parts = WebhookParts {
        method: "POST",
        path: "/v1/webhook/billing",
        query: "",
        headers: &headers,
        body_encoding: BodyEncoding::Json,
        body_size_bytes: BODY.len() as u64,
        content_type: Some("application/json"),
        remote_ip: Some("203.0.113.9"),
        content_encoding: None,
        coded: None,
        clean: None,
    };
    Draft {
        identity: None,
        provider: Some("stripe".into()),
        provider_event: Some("invoice.paid".into()),
        verification: Verification {
            verdict: Verdict::Verified.into(),
            method: "stripe".into(),
            covers: Covers::BodyAndTime.into(),
            detail: None,
            key: Some(0),
        },
        dedupe: Some(Dedupe { key: "evt_1".into(), window: Duration::from_secs(60) }),
        thread_key: Some("cus_1".into()),
        raw: Bytes::from_static(BODY.as_bytes()),
        ..draft(ChannelType::Webhook, EventType::WEBHOOK_RECEIVED, parts.data())
    }
}

pub(crate) fn email() -> Draft {
    let pass = AuthResult { verdict: "pass".into(), domain: Some("example.com".into()) };
    let data = EmailData {
        message_id: "<1@example.com>".into(),
        from: "alice@example.com".into(),
        to: vec!["support@in.example.com".into()],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "Hello".into(),
        text: Some("Hi".into()),
        html: None,
        attachments: vec![Attachment {
            filename: "a.pdf".into(),
            content_type: "application/pdf".into(),
            size_bytes: 3,
            url: None,
            sha256: None,
            content_id: None,
            inline: false,
            kind: Some("file".into()),
            protection: None,
            calendar: None,
            contains: Vec::new(),
            place: None,
        }],
        received_at: received_at(),
        from_name: Some("Alice".into()),
        sender: None,
        reply_to: Vec::new(),
        date: None,
        in_reply_to: None,
        references: Vec::new(),
        reply_text: Some("Hi".into()),
        text_source: Some("plain".into()),
        hidden_text_bytes: 0,
        tag: None,
        matched_address: Some("support@in.example.com".into()),
        envelope: Some(Envelope { mail_from: Some("alice@example.com".into()), ..<_>::default() }),
        auth: Some(Auth { dmarc: Some(pass), from_verified: true, ..Auth::default() }),
        auto: AutoFlags::default(),
        headers: vec![MailHeader { name: "Subject".into(), value: "Hello".into() }],
        defects: Vec::new(),
        truncated: false,
        size_bytes: 120,
        raw_url: None,
    };
    draft(ChannelType::Email, EventType::EMAIL_RECEIVED, DataText::whole(&data))
}

pub(crate) fn slack() -> Draft {
    let data = SlackData {
        team_id: Some("T1".into()),
        team_name: None,
        event_type: "message".into(),
        event_ts: Some("1618307540.000400".into()),
        channel_id: Some("C1".into()),
        user_id: Some("U1".into()),
        text: None,
        thread_ts: None,
        raw: raw(r#"{"type":"event_callback"}"#),
        api_app_id: None,
        event_id: None,
        subtype: None,
        channel_type: None,
        bot_id: None,
        message_ts: None,
        message_key: None,
        client_msg_id: None,
        installation_team_id: None,
        is_mention: false,
        is_bot: false,
        is_self: None,
        no_text_change: false,
        retry_num: None,
        retry_reason: None,
        transport: Some("http".into()),
        text_rendered: None,
        mentions: Vec::new(),
        hidden_text: Vec::new(),
    };
    draft(ChannelType::Slack, EventType::SLACK_EVENT, DataText::whole(&data))
}

pub(crate) fn cron() -> Draft {
    let data = CronData {
        schedule_id: "5f0c5bfa-2b3c-4c5e-9d0a-0d0f5a1b2c3d".into(),
        cron_expr: "0 14 * * THU".into(),
        timezone: "America/New_York".into(),
        scheduled_at: received_at(),
        fired_at: received_at(),
        payload: raw(r#"{"report":"weekly"}"#),
        schedule_name: Some("weekly report".into()),
        missed_count: 0,
        late_by_ms: 12,
        nominal_local: Some("2026-11-19T14:00:00".into()),
        utc_offset: Some("-05:00".into()),
        dst: Some(CronDst::Fold1.into()),
        trigger: CronTrigger::Catchup.into(),
    };
    draft(ChannelType::Cron, EventType::CRON_FIRED, DataText::whole(&data))
}

pub(crate) fn app() -> Draft {
    let data = AppData {
        event_id: "e-1".into(),
        event_type: "proposal.received".into(),
        timestamp: received_at(),
        flow_id: Some("f-1".into()),
        flow_type: None,
        proposal_id: None,
        deal_id: None,
        session_id: None,
        payload: raw("[1.10]"),
        metadata: BTreeMap::new(),
    };
    let correlation = Correlation { flow_id: Some("f-1".into()), ..Correlation::default() };
    let metadata = BTreeMap::from([("tier".to_owned(), serde_json::json!("gold"))]);
    let event_type = "proposal.received".parse().expect("a type");
    let draft = draft(ChannelType::App, event_type, DataText::whole(&data));
    Draft { correlation, metadata, ..draft }
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}
