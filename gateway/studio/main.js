// The start of the studio: it creates the store, the uploads and the frame of the page.

import { Api } from "./server/api.js";
import { Store } from "./state/store.js";
import { Uploads } from "./state/uploads.js";
import { follower } from "./state/follower.js";
import { applyTheme } from "./common/theme.js";
import { askForKey } from "./common/key_dialog.js";
import "./app.js";

applyTheme();
const store = new Store(new Api(askForKey));
const app = /** @type {any} */ (document.createElement("studio-app"));
app.store = store;
app.uploads = new Uploads(store);
document.body.append(app);
follower(store);
store.run();
