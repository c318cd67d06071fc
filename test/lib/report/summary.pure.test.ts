import { withinBytes } from '../../../lib/report/summary';

describe('withinBytes', () => {
  const more = (count: number) => `+${count}`;

  test('has the lines that fit, and says how many do not', () => {
    const lines = ['ab', 'cd', 'é'];
    expect([8, 7, 5, 4].map(limit => withinBytes(lines, limit, more))).toEqual(['ab\ncd\né', 'ab\n+2', 'ab\n+2', '+3']);
  });

  test('is empty where there is nothing', () => {
    expect(withinBytes([], 7, more)).toBe('');
  });
});
