import { CheckList } from '../../rehearsal/check-list';

describe('CheckList', () => {
  test('counts what differs and marks it in the table', () => {
    const lines: string[] = [];
    const list = new CheckList(line => lines.push(line));
    list.check('right', 'signed in', 'signed in as alice');
    expect(list.failed).toBe(0);
    list.check('wrong', 'refused: 28000', 'signed in as alice', 'for a reason');
    expect(list.failed).toBe(1);
    expect(lines).toEqual([
      '        ✓ right: signed in as alice',
      '        ✗ wrong: signed in as alice (for a reason)',
    ]);
    lines.splice(0);
    list.table();
    expect(lines.join('\n')).toBe(`
check  expected        measured
-----  --------------  ------------------  -------
right  signed in       signed in as alice  ok
wrong  refused: 28000  signed in as alice  DIFFERS`);
  });
});
