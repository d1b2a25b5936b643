//! Arithmetic: `#{e|+|:1,2}`.

/// What `e` does with two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Arithmetic {
    operator: Operator,
    is_float: bool,
    decimals: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulus,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// More than any double has.
const DECIMALS_MAX: usize = 100;

impl Arithmetic {
    /// Reads the arguments of the modifier: the operator, flags (`f`), the number of decimals.
    pub(super) fn parse(arguments: &[String]) -> Option<Arithmetic> {
        let operator = match arguments.first()?.as_str() {
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "*" => Operator::Multiply,
            "/" => Operator::Divide,
            "m" | "%" | "%%" => Operator::Modulus,
            "==" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            _ => return None,
        };
        let is_float = arguments.get(1).is_some_and(|flags| flags.contains('f'));
        let decimals = match arguments.get(2) {
            None => {
                if is_float {
                    2
                } else {
                    0
                }
            }
            // As in printf(3), a negative number is none, and then there are six.
            Some(decimals) => match decimals.parse::<i32>() {
                Ok(decimals) => usize::try_from(decimals).unwrap_or(6).min(DECIMALS_MAX),
                Err(_) => return None,
            },
        };
        Some(Arithmetic { operator, is_float, decimals })
    }

    /// The result as text, or `None` if an operand is no number or there is no result.
    pub(super) fn apply(self, left: &str, right: &str) -> Option<String> {
        let operand = |text: &str| {
            let text = text.trim_start();
            let number: f64 = if text.is_empty() { 0.0 } else { text.parse().ok()? };
            Some(if self.is_float { number } else { number.trunc() })
        };
        let (left, right) = (operand(left)?, operand(right)?);
        let truth = |holds: bool| f64::from(u8::from(holds));
        let is_equal = (left - right).abs() < 1e-9;
        let result = match self.operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            Operator::Modulus => left % right,
            Operator::Equal => truth(is_equal),
            Operator::NotEqual => truth(!is_equal),
            Operator::Less => truth(left < right),
            Operator::LessOrEqual => truth(left <= right),
            Operator::Greater => truth(left > right),
            Operator::GreaterOrEqual => truth(left >= right),
        };
        let result = if self.is_float { result } else { result.trunc() };
        // Adding zero turns a negative zero into a plain one.
        result.is_finite().then(|| format!("{:.*}", self.decimals, result + 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_tmuxs() {
        for (arguments, left, right, expected) in [
            (&["+"][..], "1", "2", Some("3")),
            (&["-"], "1", "2", Some("-1")),
            (&["*", "f", "4"], "5.5", "3", Some("16.5000")),
            (&["/"], "7", "2", Some("3")),
            (&["/"], "-7", "2", Some("-3")),
            (&["/"], "-1", "2", Some("0")),
            (&["/", "f"], "7", "2", Some("3.50")),
            (&["m"], "7", "3", Some("1")),
            (&["%%"], "7", "3", Some("1")),
            (&["=="], "1", "1.5", Some("1")),
            (&["<"], "2", "10", Some("1")),
            (&[">=", "f"], "2.5", "2.5", Some("1.00")),
            (&["*", "f", "0"], "3", "1.5", Some("4")),
            (&["+", "", "4"], "1", "2", Some("3.0000")),
            (&["-", "f", "-3"], "1", "2", Some("-1.000000")),
            (&["/"], "1", "0", None),
            (&["m"], "1", "0", None),
            (&["+"], "a", "1", None),
            (&["+"], "", "1", Some("1")),
            (&["?"], "1", "1", None),
            (&[], "1", "1", None),
            (&["+", "f", "x"], "1", "1", None),
        ] {
            let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
            let result = Arithmetic::parse(&arguments).and_then(|sum| sum.apply(left, right));
            assert_eq!(result.as_deref(), expected, "{arguments:?} {left} {right}");
        }
    }
}
