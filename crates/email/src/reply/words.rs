//! What mail programs write around a quoted message, in their languages.

/// A field of a header block that a mail program writes into its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderWord {
    From,
    Date,
    To,
    Subject,
}

/// How "On .. wrote:" begins and ends. Where the beginning is empty any is right, and the line has
/// to have a digit, an address or a name in it.
const ATTRIBUTIONS: &[(&str, &[&str])] = &[
    ("on ", &["wrote:", "writes:", "said:"]),
    ("am ", &["schrieb:", "geschrieben:"]),
    ("le ", &["a écrit :", "a écrit:", "écrit :", "écrit:"]),
    ("el ", &["escribió:", "escribio:"]),
    ("em ", &["escreveu:"]),
    ("a ", &["escreveu:"]),
    ("il ", &["ha scritto:", "scrive:"]),
    ("op ", &["schreef:", "het volgende geschreven:"]),
    ("den ", &["skrev:"]),
    ("d. ", &["skrev:"]),
    ("på ", &["skrev:"]),
    ("dnia ", &["napisał:", "napisał(a):", "napisała:", "pisze:"]),
    ("w dniu ", &["napisał:", "napisał(a):", "napisała:", "pisze:"]),
    ("dne ", &["napsal:", "napsal(a):", "napsala:"]),
    ("în ", &["a scris:"]),
    ("vào ", &["đã viết:"]),
    ("", &["schrieb:", "kirjoitti:", "написал:", "написал(а):", "написала:", "пишет:", "пише:"]),
    (
        "",
        &[
            "yazdı:",
            "şunları yazdı:",
            "のメール:",
            "書きました:",
            "写道:",
            "寫道:",
            "작성:",
            "írta:",
        ],
    ),
    ("", &["έγραψε:", "כתב:", "כתבה:", "כתב/ה:", "wrote:", "a écrit:", "skrev:", "napsal:"]),
];

/// Which words begin a line of a header block.
const HEADERS: &[(HeaderWord, &[&str])] = &[
    (
        HeaderWord::From,
        &[
            "from",
            "von",
            "de",
            "da",
            "van",
            "fra",
            "från",
            "od",
            "lähettäjä",
            "от",
            "від",
            "kimden",
            "差出人",
            "发件人",
            "寄件者",
            "보낸 사람",
            "expéditeur",
            "mittente",
            "feladó",
        ],
    ),
    (
        HeaderWord::Date,
        &[
            "sent",
            "date",
            "gesendet",
            "datum",
            "envoyé",
            "enviado",
            "enviada em",
            "fecha",
            "data",
            "inviato",
            "verzonden",
            "sendt",
            "dato",
            "skickat",
            "wysłano",
            "odesláno",
            "lähetetty",
            "отправлено",
            "дата",
            "gönderildi",
            "tarih",
            "送信日時",
            "日期",
            "发送时间",
            "寄件日期",
            "보낸 날짜",
            "küldve",
        ],
    ),
    (
        HeaderWord::To,
        &[
            "to",
            "an",
            "à",
            "para",
            "a",
            "aan",
            "til",
            "till",
            "do",
            "komu",
            "vastaanottaja",
            "кому",
            "kime",
            "宛先",
            "收件人",
            "收件者",
            "받는 사람",
            "címzett",
        ],
    ),
    (
        HeaderWord::Subject,
        &[
            "subject",
            "betreff",
            "objet",
            "asunto",
            "assunto",
            "oggetto",
            "onderwerp",
            "emne",
            "ämne",
            "temat",
            "předmět",
            "aihe",
            "тема",
            "konu",
            "件名",
            "主题",
            "主旨",
            "제목",
            "tárgy",
        ],
    ),
];

const ORIGINALS: &[&str] = &[
    "original message",
    "original appointment",
    "forwarded message",
    "begin forwarded message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "weitergeleitete nachricht",
    "message d'origine",
    "message d’origine",
    "message original",
    "message transféré",
    "mensaje original",
    "mensaje reenviado",
    "mensagem original",
    "mensagem encaminhada",
    "messaggio originale",
    "messaggio inoltrato",
    "oorspronkelijk bericht",
    "doorgestuurd bericht",
    "oprindelig meddelelse",
    "opprinnelig melding",
    "videresendt besked",
    "ursprungligt meddelande",
    "vidarebefordrat meddelande",
    "oryginalna wiadomość",
    "wiadomość oryginalna",
    "původní zpráva",
    "alkuperäinen viesti",
    "исходное сообщение",
    "пересылаемое сообщение",
    "orijinal mesaj",
    "iletilen mesaj",
    "元のメッセージ",
    "原始邮件",
    "原始郵件",
    "원본 메시지",
    "reply message",
    "eredeti üzenet",
];

const FOOTERS: &[&str] = &[
    "sent from my ",
    "sent from outlook",
    "get outlook for ",
    "sent from yahoo mail",
    "sent from mail for windows",
    "sent via ",
    "sent with proton mail",
    "sent from proton mail",
    "von meinem iphone gesendet",
    "von meinem ipad gesendet",
    "gesendet von ",
    "von unterwegs",
    "diese nachricht wurde von ",
    "envoyé de mon ",
    "envoyé depuis ",
    "enviado desde ",
    "enviado do meu ",
    "enviado a partir ",
    "inviato da ",
    "verzonden vanaf ",
    "sendt fra ",
    "skickat från ",
    "wysłane z ",
    "odesláno z ",
    "lähetetty ",
    "отправлено с ",
    "отправлено из ",
    "надіслано з ",
    "iphone'umdan gönderildi",
    "iphoneから送信",
    "发自我的",
    "从我的",
    "나의 iphone에서 보냄",
];

/// Whether a text, one line, is "On .. wrote:".
pub(super) fn is_attribution(line: &str) -> bool {
    let line = line.trim_end_matches(['*', ' ']).replace('：', ":");
    if !line.ends_with(':') {
        return false;
    }
    let line = line.to_lowercase();
    let tells = line.bytes().any(|b| b.is_ascii_digit()) || line.contains(['@', '<']);
    ATTRIBUTIONS.iter().any(|(begins, ends)| {
        let begun = line.starts_with(begins);
        // German puts the name after the verb: "Am 3. Mai schrieb Anna Muster:".
        let inside = *begins == "am " && line.contains(" schrieb ");
        let inside = inside || (*begins == "op " && line.contains(" schreef "));
        let inside = inside || (*begins == "den " && line.contains(" skrev "));
        tells && begun && (inside || ends.iter().any(|end| line.ends_with(end)))
    })
}

/// Whether a line may be the first of an "On .. wrote:" that is broken into several.
pub(super) fn begins_attribution(line: &str) -> bool {
    let end = line.floor_char_boundary(24);
    let start = line.get(..end).unwrap_or_default().to_lowercase();
    let begun = |begins: &str| !begins.is_empty() && start.starts_with(begins);
    ATTRIBUTIONS.iter().any(|(begins, _)| begun(begins))
        || line.bytes().take(8).any(|byte| byte.is_ascii_digit())
}

/// Which field of a header block a line is.
pub(super) fn header_word(line: &str) -> Option<HeaderWord> {
    let line = line.trim_start_matches(['>', ' ', '*', '|']);
    let end = line.floor_char_boundary(40);
    let start = line.get(..end)?.replace('：', ":");
    let (word, _) = start.split_once(':')?;
    let word = word.trim_matches(['*', ' ', '\u{a0}']).to_lowercase();
    let found = HEADERS.iter().find(|(_, words)| words.contains(&word.as_str()));
    found.map(|(word, _)| *word)
}

/// Whether it is what stands between dashes over a quoted message.
pub(super) fn is_original_message(text: &str) -> bool {
    text.len() < 80 && ORIGINALS.contains(&text.to_lowercase().as_str())
}

/// Whether a line is what telephones and mail programs add to every message.
pub(super) fn is_footer(line: &str) -> bool {
    let line = line.trim();
    if line.len() > 120 {
        return false;
    }
    let line = line.trim_start_matches(['<', '*', '[', '-']).to_lowercase();
    FOOTERS.iter().any(|footer| line.starts_with(footer))
}
