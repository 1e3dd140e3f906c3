//! The server's timers, bounds and end, on pipes in memory and a clock that moves by itself.

mod http2;

use super::*;
use crate::{Answer, text_answer};
use headgate_event::Timestamp;
use headgate_testkit::ManualClock;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use std::{convert::Infallible, io};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};
use tower::service_fn;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Connections that a test makes, or errors instead of one.
struct Pipes(mpsc::UnboundedReceiver<io::Result<DuplexStream>>);

impl Listener for Pipes {
    type Io = DuplexStream;

    async fn next(&mut self) -> io::Result<(DuplexStream, SocketAddr)> {
        match self.0.recv().await {
            Some(pipe) => Ok((pipe?, SocketAddr::from(([203, 0, 113, 9], 4711)))),
            None => std::future::pending().await,
        }
    }
}

/// A server under test.
struct Running {
    pipes: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    stop: oneshot::Sender<()>,
    report: JoinHandle<DrainReport>,
}

impl Running {
    fn connect(&self) -> DuplexStream {
        let (client, server) = duplex(1024);
        self.pipes.send(Ok(server)).expect("the server runs");
        client
    }
}

fn start<S: Handler>(service: S, options: ServerOptions) -> Running {
    let (pipes, taken) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix_s(1)));
    let server = Server::new(service, options, clock);
    let stopped = async {
        let _ = stopped.await;
    };
    let report = tokio::spawn(server.run(Pipes(taken), stopped));
    Running { pipes, stop, report }
}

async fn hello(_: Request<Incoming>) -> Result<Answer, Infallible> {
    Ok(text_answer(StatusCode::OK, "hello"))
}

/// All that comes until the server closes, and how long that took.
async fn read_to_end(client: &mut DuplexStream) -> (String, Duration) {
    let started = Instant::now();
    let mut text = String::new();
    client.read_to_string(&mut text).await.expect("reads to the end");
    (text, started.elapsed())
}

/// Reads one answer of `hello`.
async fn read_hello(client: &mut DuplexStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"hello") {
        let byte = client.read_u8().await.expect("the answer is not over");
        text.push(byte);
    }
    String::from_utf8(text).expect("an answer is text")
}

fn seconds(span: Duration) -> u64 {
    // Timers have a grain of a millisecond.
    (span + Duration::from_millis(5)).as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_head_that_stops_halfway_is_answered_408_in_time() {
    let running = start(service_fn(hello), ServerOptions::default());
    let mut client = running.connect();
    client.write_all(b"GET / HTTP/1.1\r\nHost:").await.expect("writes");
    let (answer, took) = read_to_end(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\r\nx-request-id: "), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.contains(r#""code":"head_too_slow""#), "{answer}");
    // The answer, and what the client may still send.
    let whole = limits::HEAD_TIMEOUT + limits::LINGER_TIMEOUT;
    assert!(took <= whole + Duration::from_millis(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_has_no_more_time() {
    let running = start(service_fn(hello), ServerOptions::default());
    let client = running.connect();
    let (mut read, mut write) = tokio::io::split(client);
    let drip = tokio::spawn(async move {
        for byte in GET {
            sleep(Duration::from_secs(1)).await;
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
    });
    let started = Instant::now();
    let mut first = [0; 12];
    read.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 408");
    assert_eq!(seconds(started.elapsed()), 10);
    drip.abort();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed_without_a_word() {
    let running = start(service_fn(hello), ServerOptions::default());
    let (answer, took) = read_to_end(&mut running.connect()).await;
    assert_eq!((answer.as_str(), seconds(took)), ("", 10));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_its_time_and_closed_without_a_word() {
    let running = start(service_fn(hello), ServerOptions::default());
    let mut client = running.connect();
    for _ in 0..2 {
        client.write_all(GET).await.expect("writes");
        read_hello(&mut client).await;
        sleep(Duration::from_secs(59)).await;
    }
    let (answer, took) = read_to_end(&mut client).await;
    assert_eq!((answer.as_str(), seconds(took)), ("", 1));
}

#[tokio::test(start_paused = true)]
async fn the_second_head_of_a_connection_is_timed_from_its_first_byte() {
    let running = start(service_fn(hello), ServerOptions::default());
    let mut client = running.connect();
    client.write_all(GET).await.expect("writes");
    read_hello(&mut client).await;
    sleep(Duration::from_secs(55)).await;
    client.write_all(b"GET").await.expect("writes");
    sleep(Duration::from_secs(9)).await;
    client.write_all(&GET[3..]).await.expect("writes");
    read_hello(&mut client).await;
    client.write_all(b"GET").await.expect("writes");
    let started = Instant::now();
    let mut first = [0; 12];
    client.read_exact(&mut first).await.expect("an answer");
    assert_eq!((&first, seconds(started.elapsed())), (b"HTTP/1.1 408", 10));
}

#[tokio::test(start_paused = true)]
async fn half_a_head_behind_a_whole_one_is_timed_too() {
    let running = start(service_fn(hello), ServerOptions::default());
    let mut client = running.connect();
    client.write_all(&[GET, b"GET / HT"].concat()).await.expect("writes");
    read_hello(&mut client).await;
    let started = Instant::now();
    let mut first = [0; 12];
    client.read_exact(&mut first).await.expect("an answer");
    assert_eq!((&first, seconds(started.elapsed())), (b"HTTP/1.1 408", 10));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_no_answer_is_cut() {
    let large = service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(text_answer(StatusCode::OK, vec![b'a'; 1 << 20]))
    });
    let running = start(large, ServerOptions::default());
    let mut client = running.connect();
    client.write_all(GET).await.expect("writes");
    sleep(limits::ANSWER_STALL_TIMEOUT + Duration::from_secs(1)).await;
    let (answer, took) = read_to_end(&mut client).await;
    assert!(answer.len() <= 1024, "{}", answer.len());
    assert_eq!(seconds(took), 0);
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_is_not_an_idle_connection() {
    let late = service_fn(|request: Request<Incoming>| async {
        sleep(Duration::from_secs(600)).await;
        hello(request).await
    });
    let running = start(late, ServerOptions::default());
    let mut client = running.connect();
    client.write_all(GET).await.expect("writes");
    let started = Instant::now();
    read_hello(&mut client).await;
    assert_eq!(seconds(started.elapsed()), 600);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_gone_ends_its_request() {
    let (given_up, gives_up) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    struct Told(Arc<Notify>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let tell = Arc::clone(&given_up);
    let entered = Arc::clone(&gives_up);
    let never = service_fn(move |_: Request<Incoming>| {
        let told = Told(Arc::clone(&tell));
        let entered = Arc::clone(&entered);
        async move {
            entered.notify_one();
            let answer = std::future::pending::<Result<Answer, Infallible>>().await;
            drop(told);
            answer
        }
    });
    let running = start(never, ServerOptions::default());
    let mut client = running.connect();
    client.write_all(GET).await.expect("writes");
    gives_up.notified().await;
    drop(client);
    given_up.notified().await;
}

#[tokio::test(start_paused = true)]
async fn no_room_for_a_connection_is_a_pause_and_not_a_busy_loop() {
    let running = start(service_fn(hello), ServerOptions::default());
    for _ in 0..5 {
        let no_files = io::Error::from_raw_os_error(24); // EMFILE
        running.pipes.send(Err(no_files)).expect("the server runs");
    }
    let aborted = io::ErrorKind::ConnectionAborted.into();
    running.pipes.send(Err(aborted)).expect("the server runs");
    let mut client = running.connect();
    let started = Instant::now();
    client.write_all(GET).await.expect("writes");
    read_hello(&mut client).await;
    let paused = started.elapsed();
    assert!(paused >= 5 * limits::ACCEPT_PAUSE && paused < 6 * limits::ACCEPT_PAUSE, "{paused:?}");
}

#[tokio::test(start_paused = true)]
async fn the_longest_idle_connection_is_closed_for_another() {
    let options = ServerOptions { connections_max: 2, ..ServerOptions::default() };
    let running = start(service_fn(hello), options);
    let mut first = running.connect();
    let mut second = running.connect();
    for client in [&mut first, &mut second] {
        client.write_all(GET).await.expect("writes");
        read_hello(client).await;
    }
    first.write_all(GET).await.expect("writes");
    read_hello(&mut first).await;
    let mut third = running.connect();
    third.write_all(GET).await.expect("writes");
    read_hello(&mut third).await;
    assert_eq!(read_to_end(&mut second).await, (String::new(), Duration::ZERO));
    first.write_all(GET).await.expect("writes");
    read_hello(&mut first).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_beyond_the_limit_is_closed_while_all_are_busy() {
    let late = service_fn(|request: Request<Incoming>| async {
        sleep(Duration::from_secs(3)).await;
        hello(request).await
    });
    let options = ServerOptions { connections_max: 1, ..ServerOptions::default() };
    let running = start(late, options);
    let mut busy = running.connect();
    busy.write_all(GET).await.expect("writes");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(read_to_end(&mut running.connect()).await, (String::new(), Duration::ZERO));
    read_hello(&mut busy).await;
    let mut next = running.connect();
    next.write_all(GET).await.expect("writes");
    read_hello(&mut next).await;
}

#[tokio::test(start_paused = true)]
async fn one_network_is_held_to_its_part_and_an_exempt_one_is_not() {
    let mut options = ServerOptions { connections_per_network_max: 1, ..ServerOptions::default() };
    let running = start(service_fn(hello), options.clone());
    let mut first = running.connect();
    first.write_all(GET).await.expect("writes");
    read_hello(&mut first).await;
    assert_eq!(read_to_end(&mut running.connect()).await, (String::new(), Duration::ZERO));

    options.network_exempt = Some(Arc::new(|address| address.to_string() == "203.0.113.9"));
    let running = start(service_fn(hello), options);
    let mut clients = [running.connect(), running.connect()];
    for client in &mut clients {
        client.write_all(GET).await.expect("writes");
        read_hello(client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_what_is_in_hand_and_closes_what_is_idle() {
    let late = service_fn(|request: Request<Incoming>| async {
        if request.uri().path() == "/late" {
            sleep(Duration::from_secs(3)).await;
        }
        hello(request).await
    });
    let running = start(late, ServerOptions::default());
    let mut idle = running.connect();
    idle.write_all(GET).await.expect("writes");
    read_hello(&mut idle).await;
    let mut silent = running.connect();
    let mut busy = running.connect();
    busy.write_all(b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("writes");
    sleep(Duration::from_secs(1)).await;
    running.stop.send(()).expect("the server runs");
    assert_eq!(seconds(read_to_end(&mut idle).await.1), 0);
    assert_eq!(seconds(read_to_end(&mut silent).await.1), 0);
    let (answer, _) = read_to_end(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let report = running.report.await.expect("no panic");
    assert_eq!((report.open, report.cut, seconds(report.took)), (3, 0, 2));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_in_time_is_cut_and_counted() {
    let never = service_fn(|_: Request<Incoming>| std::future::pending::<Result<Answer, _>>());
    let running = start(never, ServerOptions::default());
    let mut clients = [running.connect(), running.connect()];
    for client in &mut clients {
        client.write_all(GET).await.expect("writes");
    }
    sleep(Duration::from_secs(1)).await;
    running.stop.send(()).expect("the server runs");
    let report = running.report.await.expect("no panic");
    assert_eq!((report.open, report.cut, seconds(report.took)), (2, 2, 20));
    for client in &mut clients {
        assert_eq!(read_to_end(client).await.0, "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_stops_sending_is_closed_after_its_answer() {
    let running = start(service_fn(hello), ServerOptions::default());
    let client = running.connect();
    let (mut read, mut write) = tokio::io::split(client);
    write
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n")
        .await
        .expect("writes");
    let flood = tokio::spawn(async move {
        let started = Instant::now();
        while write.write_all(&[b'a'; 512]).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
        started.elapsed()
    });
    let mut answer = String::new();
    read.read_to_string(&mut answer).await.expect("reads");
    assert!(answer.ends_with("hello"), "{answer}");
    assert_eq!(seconds(flood.await.expect("no panic")), limits::LINGER_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_silent_http_2_connection_is_closed() {
    let running = start(service_fn(hello), ServerOptions::default());
    let mut client = running.connect();
    let empty_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("writes");
    client.write_all(&empty_settings).await.expect("writes");
    let started = Instant::now();
    client.read_to_end(&mut Vec::new()).await.expect("reads to the end");
    // Asked whether it is there, and given up.
    assert_eq!(seconds(started.elapsed()), 70);
}

#[tokio::test(start_paused = true)]
async fn half_a_preface_is_timed_as_a_head() {
    let running = start(service_fn(hello), ServerOptions::default());
    let mut client = running.connect();
    client.write_all(b"PRI * HTTP/2.0\r\n\r\n").await.expect("writes");
    let (answer, _) = read_to_end(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn empty_lines_do_not_keep_a_connection() {
    let running = start(service_fn(hello), ServerOptions::default());
    let mut client = running.connect();
    client.write_all(b"\r\n\r\n\n").await.expect("writes");
    client.write_all(GET).await.expect("writes");
    read_hello(&mut client).await;
    let started = Instant::now();
    while client.write_all(b"\r\n").await.is_ok() {
        sleep(Duration::from_secs(1)).await;
    }
    let took = seconds(started.elapsed());
    assert!((60..=61).contains(&took), "{took}");
}
