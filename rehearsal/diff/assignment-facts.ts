import { ComparableFact } from './access-diff';
import { branchesOf } from './branches';
import { Identity } from './identities';
import { onlySymbol, symbolText } from './symbols';
import { conditionOf, TemplateValues } from './template-values';

/** Who has a permission set of IAM Identity Center, and in which account. */
export function assignmentFacts({ who, key, permissionSet }: Identity, values: TemplateValues): ComparableFact[] {
  return permissionSet === undefined
    ? []
    : values.ofType(/^AWS::SSO::Assignment$/).flatMap((assignment) => {
        const { stack, definition: { Properties = {} } } = assignment;
        const [principal, type, account] = [Properties.PrincipalId, Properties.PrincipalType, Properties.TargetId].map(
          value => values.text(stack, value),
        );
        return branchesOf(Properties.PermissionSetArn, conditionOf(assignment))
          .filter(({ value }) => resourceIn(values.text(stack, value)) === permissionSet)
          .map(({ undecided }): ComparableFact => ({
            who: { kind: 'principal', name: `${type} ${values.named(principal)}` },
            access: { kind: 'assume', role: `${who.name} in account ${values.readable(account)}` },
            key: JSON.stringify(['assigned', key, type, principal, account]),
            ...(undecided === undefined ? {} : { undecided }),
          }));
      });
}

/** The resource that a text is an attribute of. */
function resourceIn(text: string): string | undefined {
  const symbol = onlySymbol(text);
  return symbol?.[0] === 'resource' ? symbolText(['resource', symbol[1], symbol[2], '']) : undefined;
}
