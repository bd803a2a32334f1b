//! What a session is given can be reached from any thread.

use vmsys_core::{NewSession, TemplateId};

fn new(id: TemplateId) -> NewSession {
    NewSession::new(id, "/tmp").with_data(std::rc::Rc::new(1))
}

fn main() {
    let _ = new;
}
