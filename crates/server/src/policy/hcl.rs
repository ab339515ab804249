//! The words of HCL, as far as policies need them: names, strings, brackets, `=` and `,`. Pure.

use super::ParseError;

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// A bare name, or a number.
    Name(String),
    /// Text between quotes.
    Text(String),
    /// One of `{ } [ ] = ,`.
    Mark(char),
}

/// A text, word by word.
pub(super) struct Words<'a> {
    rest: &'a str,
    line: usize,
    ahead: Option<Word>,
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1, ahead: None }
    }

    /// A complaint about the present place.
    pub(super) fn wrong(&self, reason: impl Into<String>) -> ParseError {
        ParseError::at(self.line, reason)
    }

    /// The next word, which stays.
    pub(super) fn peek(&mut self) -> Result<Option<&Word>, ParseError> {
        if self.ahead.is_none() {
            self.ahead = self.read()?;
        }
        Ok(self.ahead.as_ref())
    }

    /// The next word; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Word>, ParseError> {
        match self.ahead.take() {
            Some(word) => Ok(Some(word)),
            None => self.read(),
        }
    }

    /// Takes the next word if it is that mark.
    pub(super) fn take(&mut self, mark: char) -> Result<bool, ParseError> {
        let is_next = self.peek()? == Some(&Word::Mark(mark));
        if is_next {
            self.ahead = None;
        }
        Ok(is_next)
    }

    /// Takes a mark that must come.
    pub(super) fn expect(&mut self, mark: char) -> Result<(), ParseError> {
        if self.take(mark)? { Ok(()) } else { Err(self.wrong(format!("expected {mark:?}"))) }
    }

    /// Takes quoted text that must come.
    pub(super) fn text(&mut self, what: &str) -> Result<String, ParseError> {
        match self.next()? {
            Some(Word::Text(text)) => Ok(text),
            _ => Err(self.wrong(format!("expected {what} in quotes"))),
        }
    }

    fn read(&mut self) -> Result<Option<Word>, ParseError> {
        self.skip()?;
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        if "{}[]=,".contains(first) {
            self.advance(1);
            return Ok(Some(Word::Mark(first)));
        }
        if first == '"' {
            self.advance(1);
            return self.quoted().map(|text| Some(Word::Text(text)));
        }
        let belongs = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.wrong(format!("unexpected character {first:?}")));
        }
        let name = self.rest.get(..end).unwrap_or_default().to_owned();
        self.advance(end);
        Ok(Some(Word::Name(name)))
    }

    /// Passes over blanks and comments.
    fn skip(&mut self) -> Result<(), ParseError> {
        loop {
            let blank = self.rest.find(|c: char| !c.is_whitespace()).unwrap_or(self.rest.len());
            self.advance(blank);
            if self.rest.starts_with('#') || self.rest.starts_with("//") {
                self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                let end = comment.find("*/").ok_or_else(|| self.wrong("comment without end"))?;
                self.advance(end.saturating_add("/**/".len()));
            } else {
                return Ok(());
            }
        }
    }

    /// Text up to the closing quote.
    fn quoted(&mut self) -> Result<String, ParseError> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.advance(at.saturating_add(1));
                    return Ok(text);
                }
                '\n' => break,
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    _ => return Err(self.wrong("unknown escape in a string")),
                },
                other => text.push(other),
            }
        }
        Err(self.wrong("string without end"))
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line = self.line.saturating_add(passed.matches('\n').count());
        self.rest = rest;
    }
}
