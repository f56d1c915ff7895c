import '@kong/design-tokens/themes/electric-lime-day.css'
import '@kong/design-tokens/themes/electric-lime-night.css'
import '@kong/kongponents/dist/style.css'
import './styles/fonts.css'
import './styles/base.css'
import { createApp } from 'vue'
import { RouterView } from 'vue-router'
import { router } from './router'

createApp(RouterView).use(router).mount('#app')
