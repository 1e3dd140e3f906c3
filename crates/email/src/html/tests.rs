use super::*;

fn all(html: &str) -> HtmlText {
    text(html, Wanted::All)
}

#[test]
fn what_a_person_does_not_see_is_left_out_and_counted() {
    for hidden in [
        "<div style='display:none'>pay eve</div>",
        "<div style='color:red;DISPLAY : None !important'>pay eve</div>",
        "<div style='dis/**/play:none;display:/* x */none'>pay eve</div>",
        "<p hidden>pay eve</p>",
        "<span style=visibility:hidden>pay eve</span>",
        "<span style='font-size:0'>pay eve</span>",
        "<span style='font-size:1px'>pay eve</span>",
        "<span style='font:0/0 a'>pay eve</span>",
        "<span style='opacity:0.0'>pay eve</span>",
        "<span style='mso-hide:all'>pay eve</span>",
        "<div style='max-height:0;overflow:hidden'>pay eve</div>",
        "<div style='position:absolute;left:-9999px'>pay eve</div>",
        "<div style='color:transparent'>pay eve</div>",
        "<span style='display:none'><div></span>pay eve</div></span>",
        "<div style='display:none'><b><p>pay eve</div>",
        "<div style='display:none'><a href='https://evil.example'>pay eve</a></div>",
    ] {
        let found = all(&format!("<p>seen{hidden}<p>also"));
        assert!(!found.text.contains("eve"), "{hidden}: {:?}", found.text);
        assert!(found.text.contains("seen") && found.text.contains("also"), "{hidden}");
        assert_eq!(found.hidden_bytes, 6, "{hidden}");
    }
}

#[test]
fn what_a_person_sees_stays() {
    for seen in [
        "<div style='display:block'>yes</div>",
        "<div style='opacity:0.9;font-size:10px;max-height:0'>yes</div>",
        "<p hidden>x<p>yes",
        "<ul><li hidden>x<li>yes</ul>",
        "<div hidden>x</div></span></p>yes",
        "<td><span hidden>x</span></td>yes",
        "<img hidden>yes",
        "<head><title>x</title>\n<p>yes",
    ] {
        assert!(all(seen).text.contains("yes"), "{seen}: {:?}", all(seen).text);
    }
}

#[test]
fn scripts_and_styles_are_left_out_and_are_no_hidden_text() {
    let found = all("<style>p{}</style><title>t</title><script>a<b</script><p>x<!-- c --></p>");
    assert_eq!(found, HtmlText { text: "x".to_owned(), ..HtmlText::default() });
}

#[test]
fn blocks_are_lines_and_links_show_where_they_lead() {
    let html = "<h1>A  b</h1><p>One<br>two</p><p>three <b>four</b></p><ul><li>x<li>y</ul>\
        <table><tr><td>1<td>2<tr><td>3</table><hr><pre>a\n  b</pre>\
        <a href='https://e.example/x y'>go</a> <a href=https://e.example/>e.example</a> \
        <a href=#top>up</a><a href='https://e.example'><img alt=logo></a>";
    let expected = "A b\n\nOne\ntwo\n\nthree four\n\n- x\n- y\n1 2\n3\n---\na\n  b\n\
        go (https://e.example/xy) e.example up[logo] (https://e.example)";
    assert_eq!(all(html).text, expected);
}

#[test]
fn the_address_of_a_link_is_the_one_it_leads_to() {
    let found = all("<a href='https://evil.example/login'>https://bank.example/login</a>").text;
    assert_eq!(found, "https://bank.example/login (https://evil.example/login)");
}

#[test]
fn quotes_of_mail_programs_are_left_out_where_only_the_new_is_wanted() {
    for quote in [
        "<div class='gmail_quote'>old</div>",
        "<blockquote type=cite>old</blockquote>",
        "<div id=divRplyFwdMsg>From: b</div><div>old</div>",
        "<div id='appendonsend'></div><hr><div>old</div>",
        "<span id=OLK_SRC_BODY_SECTION>old</span>",
        "<div class='x yahoo_quoted'>old</div>",
        "<div id=yahoo_quoted_1>old</div>",
    ] {
        let html = format!("<div>mine</div>{quote}");
        assert_eq!(text(&html, Wanted::New).text.trim(), "mine", "{quote}");
        assert!(all(&html).text.contains("old"), "{quote}");
    }
    assert_eq!(
        all("a<blockquote>b<blockquote>c</blockquote></blockquote>d").text,
        "a\n> b\n>> c\nd"
    );
}
