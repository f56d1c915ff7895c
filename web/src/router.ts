import { createRouter, createWebHashHistory } from 'vue-router'
import LogsPage from './components/LogsPage.vue'

// The address is kept behind the hash, so that the service has to know one page only: /#/logs/<entry_id>
export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'logs', component: LogsPage },
    { path: '/logs/:id', name: 'entry', component: LogsPage },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
})
