//! What one process does with many keystores, against a server in the same process.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use claviger_at_rest::options::{Facility, OptionId};
use claviger_at_rest::{Keeper, Level, Monitor, Options, Polled, Settings, start};
use claviger_server::assemble::{DevOptions, Running, start_dev};
use claviger_server::limits::Limits;

const KEYSTORES: usize = 500;
const SOON: Duration = Duration::from_secs(120);

fn server(runtime: &tokio::runtime::Runtime, client: &Path) -> Running {
    let options = DevOptions {
        data_dir: None,
        kmip_addr: "127.0.0.1:0".into(),
        api_addr: "127.0.0.1:0".into(),
        root_token: None,
        export_client: Some(client.to_owned()),
        durability: claviger_server::Durability::Full,
        limits: Limits::default(),
    };
    runtime.block_on(start_dev(options)).unwrap()
}

fn settings(port: u16, client: &Path) -> Settings {
    let mut options = Options::new();
    options.imply_encryption();
    let file = |name: &str| client.join(name).to_str().unwrap().to_owned();
    for (option, text) in [
        (OptionId::KmipServerName, "127.0.0.1".to_owned()),
        (OptionId::KmipPort, port.to_string()),
        (OptionId::KmipServerCaFile, file("ca.pem")),
        (OptionId::KmipClientCertificateFile, file("client.pem")),
    ] {
        options.set(option, &text).unwrap();
    }
    options.settings(Level::V5_0).unwrap()
}

#[test]
fn one_process_polls_five_hundred_keystores() {
    let scratch = tempfile::tempdir().unwrap();
    let client = scratch.path().join("client");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = server(&runtime, &client);
    let port = running.kmip.first().unwrap().port();
    let mut settings = settings(port, &client);
    if let Facility::Kmip(kmip) = &mut settings.facility {
        // Not before every keystore is watched.
        kmip.polling = Some(Duration::from_millis(500));
    }
    let Keeper::Kmip(kms) = Keeper::new(&settings).unwrap() else { panic!("a key file") };
    let keeper = Keeper::Kmip(kms);
    let keystores: Vec<_> = (0..KEYSTORES)
        .map(|number| {
            let directory = scratch.path().join(number.to_string());
            let mut started = start(&settings, &keeper, &directory).unwrap();
            started.keystore.add("orders").unwrap();
            started
        })
        .collect();
    let Keeper::Kmip(kms) = keeper else { panic!("a key file") };
    let kms = Arc::new(kms);
    let (send, receive) = mpsc::channel();
    let monitor = Monitor::new(Arc::clone(&kms), move |watch, _, polled| {
        let _the_test_may_be_over = send.send((watch, matches!(polled, Polled::Active)));
    })
    .unwrap();
    let watches: Vec<_> =
        keystores.iter().map(|it| monitor.watch(it.polling.as_ref().unwrap())).collect();
    let mut polls: HashMap<_, usize> = HashMap::new();
    while watches.iter().any(|watch| polls.get(watch).is_none_or(|count| *count < 3)) {
        let (watch, is_active) = receive.recv_timeout(SOON).unwrap();
        assert!(is_active);
        *polls.entry(watch).or_default() += 1;
    }
    // One that is forgotten is asked for no more, and the others are.
    let forgotten = watches[0];
    monitor.forget(forgotten);
    // What was said before.
    while receive.try_recv().is_ok() {}
    let mut seen = 0;
    let mut others = 0;
    while others < 2 * KEYSTORES {
        let (watch, _) = receive.recv_timeout(SOON).unwrap();
        if watch == forgotten { seen += 1 } else { others += 1 }
    }
    assert!(seen <= 1, "what was under way, and no more");
    drop(monitor);
    for started in &keystores {
        assert_eq!(started.keystore.len(), 1);
    }
    runtime.block_on(running.stop());
}

#[test]
fn a_server_that_is_gone_ends_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let client = scratch.path().join("client");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = server(&runtime, &client);
    let port = running.kmip.first().unwrap().port();
    let settings = settings(port, &client);
    let keeper = Keeper::new(&settings).unwrap();
    let started = start(&settings, &keeper, &scratch.path().join("keys")).unwrap();
    let polling = claviger_at_rest::Polling {
        period: Duration::from_millis(50),
        ..started.polling.clone().unwrap()
    };
    runtime.block_on(running.stop());
    let Keeper::Kmip(kms) = keeper else { panic!("a key file") };
    let (send, receive) = mpsc::channel();
    let monitor = Monitor::new(Arc::new(kms), move |_, _, polled| {
        let _the_test_may_be_over = send.send(matches!(polled, Polled::Unknown(_)));
    })
    .unwrap();
    monitor.watch(&polling);
    monitor.watch(&polling);
    for _ in 0..6 {
        assert!(receive.recv_timeout(SOON).unwrap());
    }
}
