import { describeLifeCycle } from './app-life-cycle';
import { CLUSTERS } from './apps';

describeLifeCycle(CLUSTERS);
