import { withoutSamples } from './pages';

/** Links as their text, and code as one word. */
function plain(text: string): string {
  return text
    // The names of tests, which stand behind a link to their file.
    .replace(/(?<=\.test\.ts\))(?:[:,] "[^"]*")+/g, '')
    .replace(/`` ?.*? ?``|`[^`]*`/g, 'CODE')
    .replace(/!?\[((?:[^\][]|\[[^\]]*\])*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, ' ')
    .replace(/[*_]{2}|\\/g, '')
    .trim();
}

/** Paragraphs, items of lists and cells of tables. */
function blocksOf(markdown: string): string[] {
  const blocks: string[] = [];
  let paragraph: string[] = [];
  const end = () => {
    blocks.push(paragraph.join(' '));
    paragraph = [];
  };
  for (const line of withoutSamples(markdown).replace(/<!--[^]*?-->/g, '').split('\n')) {
    if (/^\s*\|/.test(line)) {
      end();
      blocks.push(...line.replace(/`[^`]*`/g, 'CODE').split(/(?<!\\)\|/));
    } else if (/^\s*$|^#/.test(line)) {
      end();
    } else {
      if (/^\s*(?:[-*]|\d+\.)\s/.test(line)) {
        end();
      }
      paragraph.push(line.replace(/^\s*(?:[-*]|\d+\.)\s+/, ''));
    }
  }
  end();
  return blocks.map(plain).filter(block => /[a-z]/i.test(block) && !/^[\s:-]*$/.test(block));
}

/** Sentences of Markdown. Samples and headlines are none. */
export function sentencesOf(markdown: string): string[] {
  return blocksOf(markdown)
    .flatMap(block => block.split(/(?<=[.!?]["')]?)\s+(?=["'(]?[A-Z\d])/))
    .map(sentence => sentence.trim());
}

export const wordsIn = (sentence: string) => sentence.split(/\s+/).filter(word => /[\p{L}\d]/u.test(word)).length;
