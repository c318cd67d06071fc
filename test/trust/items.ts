import { FLAKES } from './flakes';
import { HISTORIES } from './histories';
import { Item } from './item';
import { MUTANTS } from './mutants';
import { POLICIES_ITEM } from './policies';
import { SCHEDULES } from './schedules';
import { SOAK } from './soak';
import { STATES } from './states';
import { TEMPLATES_ITEM } from './templates';

export const ITEMS: readonly Item[] = [
  SCHEDULES,
  STATES,
  HISTORIES,
  POLICIES_ITEM,
  TEMPLATES_ITEM,
  SOAK,
  MUTANTS,
  FLAKES,
];
