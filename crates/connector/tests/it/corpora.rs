//! The kept inputs of the fuzz targets (`fuzz/corpus/`), through the very checks that the targets run.

use std::path::Path;

#[path = "../../../../fuzz/checks/mod.rs"]
#[expect(clippy::expect_used, reason = "a check that fails panics")]
mod checks;

#[test]
fn every_kept_input_passes_its_check() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, check) in checks::ALL {
        let mut inputs = 0;
        for file in std::fs::read_dir(corpus.join(name)).unwrap() {
            let file = file.unwrap().path();
            let input = std::fs::read(&file).unwrap();
            assert!(std::panic::catch_unwind(|| check(&input)).is_ok(), "{} fails", file.display());
            inputs += 1;
        }
        assert!(inputs > 0, "{name} has no kept inputs");
    }
}
