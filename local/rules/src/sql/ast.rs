//! The syntax tree of SQL statements and expressions.

use super::functions::Function;
use super::number::Number;

/// The SELECT clause of a statement.
#[derive(Clone, Debug)]
pub enum Selection {
    /// `SELECT *` alone: the unchanged payload, which need not be JSON.
    Payload,
    /// `SELECT a, b AS c, *`: an object.
    Items(Vec<Item>),
    /// `SELECT VALUE expression`: the value of the expression.
    Value(Expr),
}

/// One entry of a SELECT list.
#[derive(Clone, Debug)]
pub enum Item {
    /// `*`: every member of the payload.
    All,
    /// The path in the result, and the expression of its value.
    Named(Vec<String>, Expr),
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    Undefined,
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// `*` as a value, as in `encode(*, 'base64')`.
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

/// A binary operator.
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

/// The target type of `cast`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Int,
    Decimal,
    Bool,
}
