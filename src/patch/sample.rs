//! A long file and a patch with many places, for the benchmark and the test of the time bound.

/// A file of `lines` lines that differ little from each other, and a patch that changes `places` of them.
pub(crate) fn long(lines: usize, places: usize) -> (String, String) {
    let line = |number: usize| format!("    let value_{number} = compute({}, \"item\");\n", number % 97);
    let mut file = String::with_capacity(lines * 44);
    for number in 0..lines {
        file.push_str(&if number % 7 == 3 { "\n".to_owned() } else { line(number) });
    }
    let mut patch = String::from("*** Begin Patch\n*** Update File: long.rs\n");
    let all: Vec<&str> = file.lines().collect();
    for place in 0..places {
        let at = place * (lines / places.max(1)) + 1;
        let Some([above, gone, below, ..]) = all.get(at..) else { break };
        patch.push_str(&format!("@@\n {above}\n-{gone}\n+    changed_{place}();\n {below}\n"));
    }
    patch.push_str("*** End Patch\n");
    (file, patch)
}
