/** How the time of each reader grows when its input doubles: `npm run bench -- linear`. The cases stand beside the fuzz targets. */
import "../fuzz/doubling.ts";
