//! A host.
#[test]
fn x() {
    assert!(std::path::Path::new("/").exists());
}
