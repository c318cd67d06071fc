import { describeLifeCycle } from './app-life-cycle';
import { OTHER_DATABASES } from './apps';

describeLifeCycle(OTHER_DATABASES);
