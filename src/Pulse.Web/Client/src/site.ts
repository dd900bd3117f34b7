// What every page has. None of it is needed: pages are complete without script.
import { hideBrokenPictures } from './avatar';
import { pressOnce } from './forms';
import { followHealth } from './health';
import { keepTimesCurrent } from './time';

keepTimesCurrent();
hideBrokenPictures();
pressOnce();
followHealth();
