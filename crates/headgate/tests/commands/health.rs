//! The exit code that a container's health check looks at.

use crate::{house::House, run::run};

#[test]
fn a_gateway_that_lives_and_is_ready_says_so_and_needs_no_key() {
    let house = House::locked();
    for (arguments, says) in
        [(&["health"][..], r#""status":"ok""#), (&["health", "--ready"], "ready")]
    {
        let ended = house.run(arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains(says), "{arguments:?}: {}", ended.stdout);
    }
}

#[test]
fn where_no_gateway_is_health_fails() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = unused.local_addr().expect("its address");
    drop(unused);
    let ended = run(["health", "--url", &format!("http://{address}")]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("cannot reach"), "{}", ended.stderr);
}
