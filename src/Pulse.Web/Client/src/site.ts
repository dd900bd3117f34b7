// The script of every page. Pages are complete even if scripts are off.
import { hideBrokenPictures } from './avatar';
import { forgetFormerUser } from './forget';
import { pressOnce } from './forms';
import { followHealth } from './health';
import { keepTimesCurrent } from './time';

keepTimesCurrent();
hideBrokenPictures();
pressOnce();
followHealth();
void forgetFormerUser();
