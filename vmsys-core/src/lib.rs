//! x

mod engine;
mod error;
mod event;
mod execution;
mod ids;
mod limits;
mod session;
mod system;
mod template;
mod time;
mod value;

pub use self::error::{Error, ErrorKind, Result};
pub use self::event::{ConsoleLevel, Event, Payload, SystemLevel};
pub use self::execution::{
    ErrorCode, Execution, ExecutionError, ExecutionFilter, ExecutionKind, ExecutionStatus, JsonObject, Metrics, RunFile,
};
pub use self::ids::{ExecutionId, ParseIdError, SessionId, StartupFileId, TemplateId};
pub use self::limits::Limits;
pub use self::session::{NewSession, RuntimeSummary, SessionFilter, SessionRecord, SessionStatus};
pub use self::system::{Config, Durability, Session, VmSystem};
pub use self::template::{
    Engine, Isolation, NewStartupFile, NewTemplate, ResolverSettings, RuntimeSettings, Settings, StartupFile,
    StartupMode, Template, TemplateDetail,
};
pub use self::time::Timestamp;
pub use self::value::{JsonText, ResultValue, ValueType};
