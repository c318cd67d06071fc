import type { Answer, Outcome } from '../../scripts/unknowns';

/** A line of the file of answers: an answer to a question, or a fact beside them. */
export type Line = Answer | { readonly fact: string; readonly value: unknown };

/** Reports each answer and each fact at once, and knows which questions are answered. */
export class Answers {
  private readonly answered = new Set<string>();

  constructor(private readonly report: (line: Line) => void) {}

  has(id: string): boolean {
    return this.answered.has(id);
  }

  answer(id: string, outcome: Outcome | boolean, seen: string): void {
    this.answered.add(id);
    this.report({ id, outcome: typeof outcome === 'string' ? outcome : outcome ? 'yes' : 'no', seen });
  }

  fact(fact: string, value: unknown): void {
    this.report({ fact, value });
  }
}
