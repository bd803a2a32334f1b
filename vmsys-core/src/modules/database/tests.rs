//! SQL that stays inside, and SQL that wants out.
