import { Item } from './item';
import { POLICIES_ITEM } from './policies';
import { SCHEDULES } from './schedules';
import { STATES } from './states';
import { TEMPLATES_ITEM } from './templates';

export const ITEMS: readonly Item[] = [SCHEDULES, POLICIES_ITEM, TEMPLATES_ITEM, STATES];
