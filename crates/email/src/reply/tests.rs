use super::*;

/// "On .. wrote:" as mail programs of many languages write it.
const WROTE: &[&str] = &[
    "On Sat, Apr 18, 2026 at 5:02 PM Desk <support@in.example.com> wrote:",
    "On 18 Apr 2026, at 17:02, Desk\n<support@in.example.com>\nwrote:",
    "Am 18.04.2026 um 17:02 schrieb Desk <support@in.example.com>:",
    "Am Samstag, 18. April 2026 schrieb Desk:",
    "Le sam. 18 avr. 2026 à 17:02, Desk <support@in.example.com> a écrit :",
    "El sáb, 18 abr 2026 a las 17:02, Desk (<support@in.example.com>) escribió:",
    "Em sáb., 18 de abr. de 2026 às 17:02, Desk <support@in.example.com> escreveu:",
    "Il giorno sab 18 apr 2026 alle ore 17:02 Desk <support@in.example.com> ha scritto:",
    "Op za 18 apr 2026 om 17:02 schreef Desk <support@in.example.com>:",
    "Den lör 18 apr. 2026 kl 17:02 skrev Desk <support@in.example.com>:",
    "Den lør. 18. apr. 2026 kl. 17.02 skrev Desk <support@in.example.com>:",
    "W dniu sob., 18 kwi 2026 o 17:02 Desk <support@in.example.com> napisał(a):",
    "Dne so 18. 4. 2026 17:02 uživatel Desk <support@in.example.com> napsal:",
    "18 апреля 2026 г., 17:02, Desk <support@in.example.com> написал(а):",
    "18 Nis 2026 Cmt 17:02 tarihinde Desk <support@in.example.com> şunları yazdı:",
    "2026年4月18日(土) 17:02 Desk <support@in.example.com>のメール:",
    "Desk <support@in.example.com> 于2026年4月18日周六 17:02写道：",
    "2026년 4월 18일 (토) 오후 5:02, Desk <support@in.example.com>님이 작성:",
    "la 18. huhtik. 2026 klo 17.02 Desk (support@in.example.com) kirjoitti:",
    "În sâm., 18 apr. 2026 la 17:02, Desk <support@in.example.com> a scris:",
];

#[test]
fn what_is_quoted_below_goes_with_its_introduction() {
    for wrote in WROTE {
        let quoted = format!("Yes.\n\n{wrote}\n> Which plan?\n>\n> Desk\n");
        assert_eq!(stripped(&quoted), "Yes.", "{wrote}");
        let unmarked = format!("Yes.\n\n{wrote}\n\nWhich plan?\nDesk\n");
        assert_eq!(stripped(&unmarked), "Yes.", "{wrote}, without marks");
    }
}

#[test]
fn header_blocks_and_separators_end_what_is_new() {
    for history in [
        "-----Original Message-----\nFrom: Desk",
        "-------- Ursprüngliche Nachricht --------\nVon: Desk",
        "---------- Forwarded message ---------\nFrom: Desk",
        "____________________\nFrom: Desk <a@b.example>\nSent: Saturday\nTo: Anna\nSubject: Plan",
        "From: Desk <a@b.example>\nSent: Saturday\nTo: Anna\nSubject: Plan",
        "*Von:* Desk\n*Gesendet:* Samstag\n*An:* Anna\n*Betreff:* Plan",
        "De : Desk\nEnvoyé : samedi\nÀ : Anna\nObjet : Plan",
        "De: Desk\nEnviado: sábado\nPara: Anna\nAsunto: Plan",
        "Da: Desk\nInviato: sabato\nA: Anna\nOggetto: Piano",
        "Van: Desk\nVerzonden: zaterdag\nAan: Anna\nOnderwerp: Plan",
        "Från: Desk\nSkickat: lördag\nTill: Anna\nÄmne: Plan",
        "Fra: Desk\nSendt: lørdag\nTil: Anna\nEmne: Plan",
        "Od: Desk\nWysłano: sobota\nDo: Anna\nTemat: Plan",
        "От: Desk\nОтправлено: суббота\nКому: Anna\nТема: План",
        "发件人: Desk\n发送时间: 2026年\n收件人: Anna\n主题: 计划",
        "差出人: Desk\n送信日時: 2026年\n宛先: Anna\n件名: 計画",
    ] {
        assert_eq!(stripped(&format!("Yes.\n\n{history}\n\nWhich plan?\n")), "Yes.", "{history}");
    }
}

#[test]
fn signatures_and_footers_go() {
    for end in [
        "-- \nAnna\nOrchard Ltd.",
        "--\nAnna",
        "Sent from my iPhone",
        "Get Outlook for iOS<https://aka.ms/x>",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPad",
        "Enviado desde mi iPhone",
        "Sent from my iPhone\n\nOn Sat, 18 Apr 2026, Desk wrote:\n> Which?",
        "-- \nAnna\n\nOn Sat, 18 Apr 2026, Desk wrote:\n> Which?",
    ] {
        assert_eq!(stripped(&format!("Yes.\n\n{end}\n")), "Yes.", "{end}");
    }
}

#[test]
fn an_answer_below_or_between_the_quote_stays() {
    let below = "On Sat, 18 Apr 2026, Desk wrote:\n> Which plan?\n\nThe second.\n";
    assert_eq!(stripped(below), "The second.");
    let between = "> Which plan?\nThe second.\n> When?\nOn Friday.";
    assert_eq!(stripped(between), between);
}

#[test]
fn what_only_looks_like_a_quote_stays() {
    for text in [
        "On Friday I wrote: nothing.\nAnd more.",
        "From: my point of view it is fine.\nTo: be sure, ask.\nDone.",
        "a -- b\nc",
        "Prices:\n- 3 > 2\nEnd",
        "----\nnothing original\n----",
    ] {
        assert_eq!(stripped(text), text);
    }
}

#[test]
fn a_text_that_would_lose_everything_stays_whole() {
    let text = "> Only a quote.";
    assert_eq!(stripped(text), text);
    assert_eq!(
        stripped("-----Original Message-----\nall of it"),
        "-----Original Message-----\nall of it"
    );
}
