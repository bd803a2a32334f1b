//! What does not compile, and what the compiler says of it: a message is a part of the interface, too.

#[test]
fn misuse_does_not_compile_and_is_explained() {
    trybuild::TestCases::new().compile_fail("tests/misuse/*.rs");
}
