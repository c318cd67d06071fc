import { describeLifeCycle } from './app-life-cycle';
import { WAYS_IN } from './apps';

describeLifeCycle(WAYS_IN);
