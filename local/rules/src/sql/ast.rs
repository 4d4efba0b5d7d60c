//! What a statement says, as a tree.

use super::functions::Function;
use super::number::Number;

/// What a statement makes of a message.
#[derive(Clone, Debug)]
pub enum Selection {
    /// `SELECT *` and nothing else: the payload as it is, any bytes.
    Payload,
    /// `SELECT a, b AS c, *`: an object.
    Items(Vec<Item>),
    /// `SELECT VALUE expression`: whatever that is.
    Value(Expr),
}

/// One entry of a SELECT list.
#[derive(Clone, Debug)]
pub enum Item {
    /// `*`: every member of the payload.
    All,
    /// An expression, and the path in the result that it goes to.
    Named(Vec<String>, Expr),
}

/// Something that has a value.
#[derive(Clone, Debug)]
pub enum Expr {
    Undefined,
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// `*` where a value is wanted, as in `encode(*, 'base64')`.
    Payload,
    /// An attribute of the payload, or of the item in a nested query.
    Name(String),
    Member(Box<Expr>, String),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Case {
        subject: Box<Expr>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Array(Vec<Expr>),
    Object(Vec<(String, Expr)>),
    Call(Function, Vec<Expr>),
    Cast(Box<Expr>, Type),
    /// `(SELECT .. FROM expression WHERE ..)`.
    Query(Box<Query>),
}

/// A nested SELECT.
#[derive(Clone, Debug)]
pub struct Query {
    pub selection: Selection,
    pub from: Expr,
    pub condition: Option<Expr>,
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// What `cast` makes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Int,
    Decimal,
    Bool,
}
