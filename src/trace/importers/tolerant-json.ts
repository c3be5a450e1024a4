/** What Python's `json` writes for numbers that JSON does not have. @see https://docs.python.org/3/library/json.html "Infinite and NaN Number Values" */
const PYTHON_NUMBER = /-?\bInfinity\b|\bNaN\b/g;

/** Parses to the infinity itself: JSON allows the literal, and a double holds no larger number. */
const INFINITY_LITERAL = '1e999';

/**
 * `JSON.parse` that also reads `NaN` (as null), `Infinity` and `-Infinity` (as themselves) where a value may stand. Inside strings
 * nothing is touched, and everything else that is not JSON is refused as `JSON.parse` refuses it.
 *
 * @throws SyntaxError
 */
export function parseTolerantJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const plain = withoutPythonNumbers(text);
    if (plain === text) throw error;
    return JSON.parse(plain);
  }
}

function withoutPythonNumbers(text: string): string {
  const parts: string[] = [];
  for (let from = 0; from < text.length; ) {
    const quote = text.indexOf('"', from);
    const end = quote < 0 ? text.length : quote;
    parts.push(text.slice(from, end).replace(PYTHON_NUMBER, replacement));
    if (quote < 0) break;
    from = endOfString(text, quote);
    parts.push(text.slice(quote, from));
  }
  return parts.join('');
}

function replacement(number: string): string {
  if (number === 'NaN') return 'null';
  return number.startsWith('-') ? `-${INFINITY_LITERAL}` : INFINITY_LITERAL;
}

/** Index after the quote that closes the string opened at `quote`; the text's end where none does. */
function endOfString(text: string, quote: number): number {
  for (let close = text.indexOf('"', quote + 1); close >= 0; close = text.indexOf('"', close + 1)) {
    let slashes = 0;
    while (text.charCodeAt(close - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return close + 1;
  }
  return text.length;
}
